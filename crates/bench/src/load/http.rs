//! One keep-alive HTTP/1.1 connection, read by hand: what the client spends, the server beside it does not get.

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is opened when it is needed.
pub struct Connection {
    address: String,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// What a response's first lines say.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    body: Body,
    closes: bool,
    bytes: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Body {
    Sized(usize),
    Chunked,
}

impl Connection {
    /// To `address`, as `127.0.0.1:8080`.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None, buffer: Vec::with_capacity(8 * 1024) }
    }

    /// Sends a whole request and reads the whole response; returns its status and body. A server that had given up
    /// the idle connection is asked once more on a new one.
    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<(u16, Vec<u8>)> {
        let reused = self.stream.is_some();
        let answer = match self.exchange(request).await {
            Err(_) if reused => {
                self.stream = None;
                self.exchange(request).await
            }
            other => other,
        };
        if answer.is_err() {
            self.stream = None;
        }
        let head = answer?;
        let rest = &self.buffer[head.bytes..];
        let body = match head.body {
            Body::Sized(length) => rest[..length].to_vec(),
            Body::Chunked => unchunk(rest).context("the chunks cannot be read")?,
        };
        Ok((head.status, body))
    }

    /// As [`send`](Self::send), when only the status matters: nothing is copied.
    pub async fn status(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        let answer = self.exchange(request).await;
        if answer.is_err() {
            self.stream = None;
        }
        Ok(answer?.status)
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Head> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => {
                let stream = TcpStream::connect(&self.address).await?;
                stream.set_nodelay(true)?;
                empty.insert(stream)
            }
        };
        stream.write_all(request).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            if stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if head.is_none() {
                head = read_head(&self.buffer)?;
            }
            let Some(found) = &head else { continue };
            let rest = &self.buffer[found.bytes..];
            let complete = match found.body {
                Body::Sized(length) => rest.len() >= length,
                Body::Chunked => rest.ends_with(b"0\r\n\r\n"),
            };
            if complete {
                break;
            }
        }
        let head = head.context("no response")?;
        if head.closes {
            self.stream = None;
        }
        Ok(head)
    }
}

/// Reads the first lines as soon as they are all there.
fn read_head(buffer: &[u8]) -> anyhow::Result<Option<Head>> {
    let Some(end) = find(buffer, b"\r\n\r\n") else { return Ok(None) };
    let mut lines = buffer[..end].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.next().unwrap_or_default();
    let status = first.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
    let status = status.with_context(|| format!("no HTTP: {}", String::from_utf8_lossy(first)))?;
    let mut head = Head { status, body: Body::Sized(0), closes: false, bytes: end + 4 };
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value)?.parse().context("the length is no number")?;
            head.body = Body::Sized(length);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            head.body = Body::Chunked;
        } else if name.eq_ignore_ascii_case(b"connection") {
            head.closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(Some(head))
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::with_capacity(rest.len());
    loop {
        let end = find(rest, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}

/// Where `needle` begins in `bytes`.
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// A `POST`; see [`request`].
pub fn post(address: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    request("POST", address, path, headers, body)
}

/// A request with a body, complete with its length. `headers` end each with CR LF.
pub fn request(method: &str, address: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole_and_not_before() {
        let whole = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\nConnection: close\r\n\r\n";
        for cut in 0..whole.len() {
            assert_eq!(read_head(&whole[..cut]).unwrap(), None);
        }
        let head = Head { status: 403, body: Body::Sized(12), closes: true, bytes: whole.len() };
        assert_eq!(read_head(whole).unwrap(), Some(head));
    }

    #[test]
    fn chunks_become_one_body() {
        assert_eq!(unchunk(b"4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n").unwrap(), b"abcdef");
        assert_eq!(unchunk(b"4\r\nabc"), None);
    }
}
