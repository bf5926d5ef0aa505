//! Secrets in plain text, overwritten in place.

use super::{Direction, Piece};

/// Fields whose values are credentials.
const SECRET: [&[u8]; 4] = [b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"];

/// Overwrites what is secret in the pieces of one connection.
pub(super) fn connection(pieces: &mut [Piece]) {
    let answer = joined(pieces, Direction::Received);
    for direction in [Direction::Sent, Direction::Received] {
        let mut stream = joined(pieces, direction);
        if is_tls(&stream) {
            continue;
        }
        fields(&mut stream);
        if direction == Direction::Sent {
            socks(&mut stream, &answer);
        }
        spread(pieces, direction, &stream);
    }
}

fn joined(pieces: &[Piece], direction: Direction) -> Vec<u8> {
    let mine = pieces.iter().filter(|piece| piece.direction == direction);
    mine.flat_map(|piece| piece.bytes.iter().copied()).collect()
}

fn spread(pieces: &mut [Piece], direction: Direction, mut stream: &[u8]) {
    for piece in pieces.iter_mut().filter(|piece| piece.direction == direction) {
        let Some((mine, rest)) = stream.split_at_checked(piece.bytes.len()) else { return };
        piece.bytes.copy_from_slice(mine);
        stream = rest;
    }
}

/// A record of a handshake (RFC 8446 §5.1): type 22, version 3.x.
fn is_tls(stream: &[u8]) -> bool {
    stream.starts_with(&[22, 3])
}

/// Overwrites values of fields, with the lines that a folded one goes on in (RFC 9112 §5.2).
fn fields(stream: &mut [u8]) {
    let mut inside = false;
    for line in stream.split_mut(|&byte| byte == b'\n') {
        let folded = inside && matches!(line.first(), Some(b' ' | b'\t'));
        let value = if folded { Some(0) } else { value_of_secret(line) };
        inside = value.is_some();
        if let Some(value) = value.and_then(|at| line.get_mut(at..)) {
            overwrite(value);
        }
    }
}

/// Where the value begins, if the line is a field that is secret.
fn value_of_secret(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(64).position(|&byte| byte == b':')?;
    let name = line.get(..colon)?.trim_ascii();
    SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)).then_some(colon + 1)
}

fn overwrite(value: &mut [u8]) {
    for byte in value.iter_mut().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) {
        *byte = b'*';
    }
}

/// Overwrites user name and password of SOCKS 5 (RFC 1928 §3, RFC 1929 §2).
fn socks(sent: &mut [u8], received: &[u8]) {
    const BY_PASSWORD: u8 = 2;
    let [5, methods, ..] = *sent else { return };
    if !received.starts_with(&[5, BY_PASSWORD]) {
        return;
    }
    let Some([1, rest @ ..]) = sent.get_mut(2 + usize::from(methods)..) else { return };
    let mut rest = rest;
    for _ in 0..2 {
        let Some((length, text)) = rest.split_first_mut() else { return };
        let (word, after) = text.split_at_mut(usize::from(*length).min(text.len()));
        word.fill(b'*');
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn piece(direction: Direction, bytes: impl AsRef<[u8]>) -> Piece {
        Piece { at: Duration::ZERO, direction, bytes: bytes.as_ref().to_vec() }
    }

    fn masked(mut pieces: Vec<Piece>) -> Vec<String> {
        connection(&mut pieces);
        pieces.iter().map(|piece| String::from_utf8_lossy(&piece.bytes).into_owned()).collect()
    }

    #[test]
    fn values_are_masked_wherever_the_pieces_are_cut() {
        let text =
            "GET / HTTP/1.1\r\nCOOKIE: a=b; c\r\nX: seen\r\nauthorization:Basic x\r\n\tyz\r\n\r\n";
        let hidden =
            "GET / HTTP/1.1\r\nCOOKIE: **** *\r\nX: seen\r\nauthorization:***** *\r\n\t**\r\n\r\n";
        for cut in 0..text.len() {
            let (before, after) = text.split_at(cut);
            let pieces = vec![
                piece(Direction::Sent, before),
                piece(Direction::Received, "HTTP/1.1 200 OK\r\nSet-Cookie: id=1\r\n\r\ncookie"),
                piece(Direction::Sent, after),
            ];
            let seen = masked(pieces);
            assert_eq!(format!("{}{}", seen[0], seen[2]), hidden);
            assert_eq!(seen[1], "HTTP/1.1 200 OK\r\nSet-Cookie: ****\r\n\r\ncookie");
        }
    }

    #[test]
    fn what_is_encrypted_stays_as_it_is() {
        let record = b"\x16\x03\x01\0\x10\nCookie: nothing\n";
        let mut pieces = vec![piece(Direction::Sent, record)];
        connection(&mut pieces);
        assert_eq!(pieces[0].bytes, record);
    }

    #[test]
    fn a_password_for_a_proxy_is_masked() {
        let ask = |method| {
            let login = b"\x01\x02me\x04hush\x05\x01\0\x03";
            masked(vec![
                piece(Direction::Sent, b"\x05\x02\0\x02"),
                piece(Direction::Received, [5, method]),
                piece(Direction::Sent, login),
            ])
        };
        assert_eq!(ask(2)[2], "\x01\x02**\x04****\x05\x01\0\x03");
        assert_eq!(ask(0)[2], "\x01\x02me\x04hush\x05\x01\0\x03");
    }

    #[test]
    fn cut_short_it_is_no_trouble() {
        for bytes in [&b""[..], b"\x05", b"\x05\x01", b"\x05\x01\x02\x01", b"\x05\x01\x02\x01\xffa"]
        {
            let pieces =
                vec![piece(Direction::Sent, bytes), piece(Direction::Received, b"\x05\x02")];
            masked(pieces);
        }
    }
}
