<?php
// A CRM's PHP service against a running demo, from signing in to unlinking: `php donor-service.php`, addresses in the environment
// as tests/realtime/run sets them.

require __DIR__ . '/stand-in.php';
require __DIR__ . '/WhatsAppService.php';

use App\Services\WhatsAppService;

$url = getenv('BASE_URL');
$config = ['services.whatsapp.api_url' => "$url/api/v1"];
$checked = 0;

function check(bool $holds, string $what, mixed $found = null): void
{
    $GLOBALS['checked']++;
    if (!$holds) {
        fwrite(STDERR, "donor-service: not so: $what\n" . json_encode($found, JSON_PRETTY_PRINT) . "\n");
        exit(1);
    }
}

function worked(array $result, string $what): mixed
{
    check($result['success'], $what, $result);
    return $result['data'];
}

function has(array $row, array $fields, string $what): void
{
    foreach ($fields as $field) {
        check(array_key_exists($field, $row), "$what has $field", $row);
    }
}

/** What the people of the demo do: scanning, writing. */
function control(string $method, string $path, ?array $body = null): array
{
    $call = curl_init("{$GLOBALS['url']}/control$path");
    curl_setopt_array($call, [CURLOPT_CUSTOMREQUEST => $method, CURLOPT_RETURNTRANSFER => true]);
    if ($body !== null) {
        curl_setopt($call, CURLOPT_POSTFIELDS, json_encode($body));
        curl_setopt($call, CURLOPT_HTTPHEADER, ['Content-Type: application/json']);
    }
    return json_decode(curl_exec($call), true);
}

/** Asks again until something holds. */
function until(callable $holds, string $what): mixed
{
    for ($left = 500; $left > 0; $left--) {
        if ($found = $holds()) {
            return $found;
        }
        usleep(20_000);
    }
    check(false, $what);
}

$service = new WhatsAppService();
check(!$service->login(getenv('FRONTDESK_EMAIL'), 'wrong')['success'], 'a wrong password is refused');
$login = worked($service->login(getenv('FRONTDESK_EMAIL'), getenv('FRONTDESK_PASSWORD')), 'signing in');
$service->saveToken($login['token']);

$stamp = (int) (microtime(true) * 1000);
$session = "php-$stamp";
$phone = control('POST', '/linked', ['phone' => '62897' . $stamp % 100_000_000, 'name' => 'PHP'])['inbox_id'];
worked($service->createSession($session), 'a session is made');
check(!$service->createSession($session)['success'], 'a name is given once');
$qr = worked($service->getQRCode($session), 'a code to scan');
check(str_starts_with($qr['image'], 'data:image/png;base64,'), 'the code is a picture', $qr);
has($qr, ['qr', 'qr_code', 'expires_at'], 'a code');
check(worked($service->getSessionStatus($session), 'the status')['status'] === 'connecting', 'it waits for the phone');
control('POST', "/linked/$phone/scan", ['session' => $session]);
until(fn () => $service->getSessionStatus($session)['data']['status'] === 'connected', 'the phone is linked');
$sessions = array_column(worked($service->getAllSessions(), 'the sessions'), null, 'session_id');
has($sessions[$session], ['user_id', 'name', 'status', 'phone_number', 'active_chats', 'last_activity'], 'a session');

$donor = control('GET', '/customers')[2];
$words = "Mau donasi $stamp";
control('POST', "/customers/{$donor['id']}/messages", ['inbox_id' => $phone, 'kind' => 'text', 'text' => $words]);
$filters = ['filter' => 'all', 'search' => null, 'limit' => 50];
$chat = until(fn () => $service->getConversations($session, $filters)['data'][0] ?? null, 'the chat is listed');
has($chat, ['id', 'name', 'phone', 'last_message', 'timestamp', 'unread_count', 'is_starred'], 'a chat');
check([$chat['phone'], $chat['last_message']] === [$donor['phone'], $words], 'the chat is the donor’s', $chat);
check(count(worked($service->getConversations($session, ['filter' => 'unread']), 'unread chats')) === 1, 'it is unread');
$messages = worked($service->getMessages($session, $chat['id']), 'its messages');
check($messages[0]['message'] === $words, 'the message is there', $messages);
has($messages[0], ['id', 'message', 'type', 'direction', 'status', 'timestamp'], 'a message');
check(worked($service->searchConversations($session, (string) $stamp), 'a search')[0]['id'] === $chat['id'], 'it is found');
worked($service->markAsRead($session, $chat['id']), 'it is marked as read');
check(worked($service->getConversations($session, ['filter' => 'unread']), 'unread chats') === [], 'nothing is unread');

$to = $chat['phone'];
$picture = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
$receipt = 'data:application/pdf;base64,' . base64_encode("%PDF-1.4\n%%EOF");
has(worked($service->sendTextMessage($session, $to, "Terima kasih $stamp"), 'a text'), ['id', 'status'], 'what was sent');
worked($service->sendImage($session, $to, $picture, 'Poster'), 'a picture');
worked($service->sendDocument($session, $to, $receipt, 'kwitansi.pdf'), 'a document');
$path = $service->sendImage($session, $to, '/var/www/storage/app/public/a.jpg');
check(!$path['success'] && str_contains($path['message'], 'multipart'), 'a path of a server is refused, with what to do', $path);
$bearer = ["Authorization: Bearer {$login['token']}", 'Content-Type: application/json'];
$call = curl_init("$url/api/crm/quick-replies");
$template = json_encode(['shortcut' => "php$stamp", 'content' => 'Terima kasih, {{amount}} sudah kami terima.']);
curl_setopt_array($call, [CURLOPT_POSTFIELDS => $template, CURLOPT_HTTPHEADER => $bearer, CURLOPT_RETURNTRANSFER => true]);
curl_exec($call);
worked($service->sendTemplate($session, $to, "php$stamp", ['amount' => 'Rp250.000']), 'a text with a variable');
check(!$service->sendTemplate($session, $to, "php$stamp")['success'], 'a variable without value is refused');
$arrived = fn () => array_column(control('GET', "/customers/{$donor['id']}/chats/$phone")['entries'], 'text');
until(fn () => in_array('Terima kasih, Rp250.000 sudah kami terima.', $arrived()), 'the donor reads what was sent');
check(in_array("Terima kasih $stamp", $arrived()), 'the first text came too', $arrived());

$contact = worked($service->getContactInfo($session, $to), 'the contact');
has($contact, ['name', 'phone'], 'a contact');
has(worked($service->checkNumberRegistered($session, $to), 'a number is looked up'), ['registered'], 'a number');
has(worked($service->getProfilePicture($session, $to), 'a picture is asked for'), ['url'], 'a picture');
check(worked($service->getContactInfo($session, '6289999999999'), 'somebody unknown')['name'] === null, 'nobody has no name');
worked($service->disconnectSession($session), 'the phone is unlinked');
check(!$service->getSessionStatus($session)['success'], 'the session is gone');
echo "donor-service: $checked checks hold\n";
