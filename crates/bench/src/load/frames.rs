//! WebSocket frames (RFC 6455), as far as a client of live updates meets them: read without copying.

/// A text.
pub const TEXT: u8 = 1;
/// The server ends the connection.
pub const CLOSE: u8 = 8;
/// The server asks whether the client is there.
pub const PING: u8 = 9;
/// The client's answer to that.
pub const PONG: u8 = 10;

/// Hands each complete frame to `take`, kind and payload; returns how many bytes they were.
pub fn each(bytes: &[u8], mut take: impl FnMut(u8, &[u8])) -> usize {
    let mut taken = 0;
    while let Some((kind, start, end)) = first(&bytes[taken..]) {
        take(kind, &bytes[taken + start..taken + end]);
        taken += end;
    }
    taken
}

/// Kind, start and end of the payload of the first frame, when it is complete. A server does not mask.
fn first(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let kind = bytes.first()? & 0x0f;
    let (start, length) = match bytes.get(1)? & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let end = start + length;
    (bytes.len() >= end).then_some((kind, start, end))
}

/// A frame of a client, masked as the protocol wants; with the same mask always, which no server minds.
pub fn masked(kind: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![0x80 | kind];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            let length = u16::try_from(payload.len()).unwrap_or(u16::MAX); // longer ones are never sent
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_when_they_are_whole() {
        let long = [b'x'; 300];
        let mut bytes = vec![0x81, 2, b'h', b'i', 0x81, 126, 1, 44];
        bytes.extend_from_slice(&long);
        for cut in 4..bytes.len() {
            let mut found = Vec::new();
            assert_eq!(each(&bytes[..cut], |_, payload| found.push(payload.to_vec())), 4);
            assert_eq!(found, [b"hi".to_vec()]);
        }
        let mut found = Vec::new();
        assert_eq!(each(&bytes, |kind, payload| found.push((kind, payload.len()))), bytes.len());
        assert_eq!(found, [(TEXT, 2), (TEXT, 300)]);
    }

    #[test]
    fn a_mask_can_be_taken_off_again() {
        let frame = masked(TEXT, b"hello");
        assert_eq!(&frame[..2], [0x81, 0x85]);
        let plain: Vec<u8> = frame[6..].iter().zip(frame[2..6].iter().cycle()).map(|(b, m)| b ^ m).collect();
        assert_eq!(plain, b"hello");
    }
}
