//! However a body is cut, and whatever it is.

use super::*;
use proptest::prelude::*;

const TYPES: [&str; 13] = [
    "",
    "text/plain",
    "text/html",
    "application/xml",
    "application/xhtml+xml",
    "application/json",
    "text/event-stream",
    "text/plain; charset=utf-8",
    "text/plain; charset=shift_jis",
    "text/plain; charset=iso-2022-jp",
    "text/plain; charset=gb18030",
    "text/plain; charset=utf-16be",
    "text/plain; charset=utf-32",
];

/// Pieces of bodies: marks, declarations, characters of several charsets, and parts of all these.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\0\0",
        b"<meta charset=gbk>",
        b"<!--",
        b"-->",
        b"<?xml encoding='koi8-r'?>",
        b"<meta http-equiv=content-type content='charset=big5'>",
        "é€😀".as_bytes(),
        b"\x93\xfa\x96\x7b",
        b"\xd8\x3d\xde\x00",
        b"{\"a\": 1}",
        b"\x1b$B",
        b"\r\n",
    ];
    let piece = prop_oneof![
        proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        proptest::collection::vec(any::<u8>(), 0..6),
        "[ -~]{0,12}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Lengths of the pieces that a body is cut into, over and over.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0usize..9, 1..5)
        .prop_filter("something has to come", |cuts| cuts.iter().any(|&cut| cut > 0))
}

fn pieces<'a>(mut body: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for &cut in cuts.iter().cycle() {
        if body.is_empty() {
            break;
        }
        let (piece, rest) = body.split_at(cut.min(body.len()));
        pieces.push(piece);
        body = rest;
    }
    pieces
}

fn whole(content_type: &str, fallback: Fallback, body: &[u8]) -> (String, &'static str, How, bool) {
    let content_type = (!content_type.is_empty()).then_some(content_type.as_bytes());
    let decoded = decode(body, content_type, fallback);
    (decoded.text.into_owned(), decoded.charset, decoded.how, decoded.malformed)
}

proptest! {
    #[test]
    fn a_stream_is_decoded_like_the_whole(
        content_type in proptest::sample::select(TYPES.to_vec()),
        latin in any::<bool>(),
        body in body(),
        cuts in cuts(),
    ) {
        let fallback = if latin { Fallback::Latin1 } else { Fallback::Detect };
        let streamed = stream(content_type, fallback, pieces(&body, &cuts));
        prop_assert_eq!(streamed, whole(content_type, fallback, &body));
    }

    #[test]
    fn a_long_stream_is_the_same_however_cut(
        content_type in proptest::sample::select(TYPES.to_vec()),
        body in body(),
        before in 0usize..2000,
        times in 1usize..200,
        cut in 1usize..3000,
    ) {
        let body = [vec![b' '; before], body.repeat(times)].concat();
        let streamed = stream(content_type, Fallback::Detect, body.chunks(cut));
        let at_once = stream(content_type, Fallback::Detect, [body.as_slice()]);
        prop_assert_eq!(&streamed, &at_once);
        if content_type.contains("charset") {
            prop_assert_eq!(streamed, whole(content_type, Fallback::Detect, &body));
        }
    }

    #[test]
    fn lines_are_the_same_however_cut(
        text in "[ab\r\n\u{b}\u{85}é]{0,40}",
        cuts in cuts(),
        longest in 0usize..8,
    ) {
        let expected: Vec<&str> = split(&text);
        let (lines, error) = lines(Lines::new(), pieces(text.as_bytes(), &cuts));
        prop_assert_eq!(&lines, &expected);
        prop_assert_eq!(error, None);

        let (short, error) = self::lines(Lines::with_longest(longest), pieces(text.as_bytes(), &cuts));
        let fit = expected.iter().take_while(|line| line.len() <= longest).count();
        prop_assert_eq!(&short, &expected[..fit]);
        prop_assert_eq!(error, (fit < expected.len()).then_some(LineTooLong { longest }));
    }

    #[test]
    fn lines_of_text_are_those_of_the_whole(
        content_type in proptest::sample::select(TYPES.to_vec()),
        body in body(),
        cuts in cuts(),
    ) {
        let given = (!content_type.is_empty()).then_some(content_type.as_bytes());
        let decoder = TextDecoder::new(given, Fallback::Detect);
        let mut lines = TextLines::new(decoder, Lines::new());
        let mut found = Vec::new();
        for piece in pieces(&body, &cuts) {
            lines.push(piece);
            found.extend(std::iter::from_fn(|| lines.next_line().unwrap()));
        }
        lines.finish();
        found.extend(std::iter::from_fn(|| lines.next_line().unwrap()));
        let (text, charset, ..) = whole(content_type, Fallback::Detect, &body);
        prop_assert_eq!(found, split(&text));
        prop_assert_eq!(lines.decoder().charset(), Some(charset));
    }
}

/// What the lines of a whole text are, found in another way.
fn split(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        lines.push(&rest[..end]);
        let skip = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = rest.get(end + skip..).unwrap_or_default();
    }
    lines
}

fn lines(mut lines: Lines, pieces: Vec<&[u8]>) -> (Vec<String>, Option<LineTooLong>) {
    let mut found = Vec::new();
    for piece in pieces.into_iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => lines.push(piece),
            None => lines.finish(),
        }
        loop {
            match lines.next_line() {
                Ok(Some(line)) => found.push(String::from_utf8(line.to_vec()).unwrap()),
                Ok(None) => break,
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

#[test]
fn lines_come_as_soon_as_they_end() {
    let mut lines = Lines::new();
    for (piece, expected) in [
        (&b"a\r"[..], vec!["a"]),
        (b"\n", vec![]),
        (b"\n", vec![""]),
        (b"b\rc\r\r\nd", vec!["b", "c", ""]),
        (b"e\n", vec!["de"]),
    ] {
        lines.push(piece);
        for line in expected {
            assert_eq!(lines.next_line(), Ok(Some(line.as_bytes())));
        }
        assert_eq!(lines.next_line(), Ok(None), "after {}", piece.escape_ascii());
    }
    lines.finish();
    assert_eq!(lines.next_line(), Ok(None), "an end is not the beginning of a line");
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let mut lines = Lines::with_longest(10);
    lines.push(b"0123456789\nmuch too long");
    assert_eq!(lines.next_line(), Ok(Some(&b"0123456789"[..])));
    let error = lines.next_line().unwrap_err();
    assert_eq!(error.to_string(), "a line of the body is longer than the 10 bytes allowed");
    lines.push(b"\nshort\n");
    assert_eq!(lines.next_line(), Err(error), "for good");
}

#[test]
fn text_is_held_back_only_where_it_must_be() {
    let text = |content_type: &str, bytes: &[u8]| {
        let mut decoder = TextDecoder::new(Some(content_type.as_bytes()), Fallback::Detect);
        let mut text = String::new();
        decoder.push(bytes, &mut text);
        text
    };
    assert_eq!(text("text/plain; charset=utf-8", "é".as_bytes()), "é");
    assert_eq!(text("text/event-stream", "é".as_bytes()), "é");
    assert_eq!(text("application/json", b"[1,2"), "[1,2");
    assert_eq!(text("text/plain", "ascii é".as_bytes()), "ascii ");
    assert_eq!(text("text/html", b"<p>"), "");
    assert_eq!(text("text/html", &[b' '; 1024]).len(), 1024);
    let long = "é".repeat(1000);
    assert_eq!(text("text/plain", long.as_bytes()), long);
}
