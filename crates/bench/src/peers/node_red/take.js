// The function node: signature, id, one row, 200 after the commit.
const raw = msg.req.body
const signed = String(msg.req.headers['x-hub-signature-256'] || '').replace('sha256=', '')
const expected = global.get('crypto').createHmac('sha256', global.get('secret')).update(raw).digest()
const given = Buffer.from(signed, 'hex')
if (given.length !== expected.length || !global.get('crypto').timingSafeEqual(given, expected)) {
  msg.statusCode = 403
  return msg
}
const message = JSON.parse(raw).entry[0].changes[0].value.messages[0]
global.get('insert').run(Date.now(), message.id, raw)
msg.statusCode = 200
msg.payload = ''
return msg
