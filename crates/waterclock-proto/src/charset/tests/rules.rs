//! Which rule decides.

use super::*;

const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// `é` in UTF-8; in windows-1252, two letters.
const E: &[u8] = b"\xc3\xa9";

#[test]
fn a_mark_comes_before_the_header() {
    let marked = [b"\xef\xbb\xbf", E].concat();
    for content_type in ["text/plain; charset=gbk", HTML, JSON, "image/png", ""] {
        assert_eq!(read(content_type, &marked), ("é".into(), "UTF-8", How::Bom), "{content_type}");
    }
    let le = [b"\xff\xfe".to_vec(), utf16le("日本")].concat();
    assert_eq!(read("text/plain; charset=utf-8", &le), ("日本".into(), "UTF-16LE", How::Bom));
    let be = [b"\xfe\xff".to_vec(), utf16be("日本")].concat();
    assert_eq!(read("text/plain; charset=utf-16", &be), ("日本".into(), "UTF-16BE", How::Bom));
    let latin = decode(&marked, Some(b"text/plain"), Fallback::Latin1);
    assert_eq!((&*latin.text, latin.how), ("é", How::Bom));
}

#[test]
fn the_mark_of_utf_32_counts_where_it_may_be_meant() {
    let marked = [b"\xff\xfe\0\0".to_vec(), utf32le("[\"日\"]")].concat();
    for content_type in [JSON, "text/plain; charset=utf-32"] {
        let expected = ("[\"日\"]".into(), "UTF-32LE", How::Bom);
        assert_eq!(read(content_type, &marked), expected, "{content_type}");
    }
    assert_eq!(read("text/plain", &marked).1, "UTF-16LE");
}

#[test]
fn a_header_that_is_known_comes_before_the_page() {
    let page = b"<meta charset=gbk>\xe9";
    let (text, charset, how) = read("text/html; charset=ISO-8859-1", page);
    assert_eq!((charset, how), ("windows-1252", How::Header));
    assert!(text.ends_with('é'));
    assert_eq!(read("text/html; charset='utf_8'", page).1, "UTF-8");
    assert_eq!(read("html; charset=koi8-r", b"\xc1"), ("а".into(), "KOI8-R", How::Header));
    for unknown in ["text/html; charset=none", "text/html; charset=", "text/html; charset=utf-7"] {
        assert_eq!(read(unknown, page).1, "GBK", "{unknown}: the next rule");
    }
}

#[test]
fn json_is_utf_8_or_what_its_zeros_show() {
    let json = "[\"日本\"]";
    for (bytes, charset, how) in [
        (json.as_bytes().to_vec(), "UTF-8", How::Default),
        (utf16le(json), "UTF-16LE", How::Detected),
        (utf16be(json), "UTF-16BE", How::Detected),
        (utf16le("\"日\""), "UTF-16LE", How::Detected),
        (utf32le(json), "UTF-32LE", How::Detected),
        (utf32be(json), "UTF-32BE", How::Detected),
        (utf16le("1"), "UTF-16LE", How::Detected),
        (b"1".to_vec(), "UTF-8", How::Default),
        (vec![], "UTF-8", How::Default),
    ] {
        for content_type in [JSON, "application/problem+json"] {
            let (text, found, why) = read(content_type, &bytes);
            assert_eq!((found, why), (charset, how), "{bytes:?}");
            assert!(!text.contains('\u{fffd}'));
        }
    }
    let broken = decode(b"[\"\xff\"]", Some(JSON.as_bytes()), Fallback::Latin1);
    assert_eq!(
        (&*broken.text, broken.charset, broken.malformed),
        ("[\"\u{fffd}\"]", "UTF-8", true)
    );
}

#[test]
fn what_is_utf_8_is_utf_8() {
    for content_type in ["text/plain", HTML, "", "application/x-thing", "text/xml"] {
        let found = read(content_type, E);
        assert_eq!(found, ("é".into(), "UTF-8", How::Detected), "{content_type}");
        assert_eq!(read(content_type, b"plain").2, How::Default, "{content_type}");
        assert_eq!(read(content_type, b""), (String::new(), "UTF-8", How::Default));
    }
    let cut = decode(b"caf\xc3", Some(b"text/plain"), Fallback::Detect);
    assert_eq!((&*cut.text, cut.charset, cut.malformed), ("caf\u{fffd}", "UTF-8", true));
    let events = decode(b"data: \xff", Some(b"text/event-stream"), Fallback::Latin1);
    assert_eq!((events.charset, events.malformed), ("UTF-8", true), "UTF-8 by definition");
}

#[test]
fn the_rest_is_guessed() {
    let french = b"D\xe9j\xe0 vu \xe0 l'\xe9cole, \xe7a va tr\xe8s bien.";
    let (text, charset, how) = read("text/plain", french);
    assert_eq!((charset, how), ("windows-1252", How::Detected));
    assert_eq!(text, "Déjà vu à l'école, ça va très bien.");
    let russian = "Привет, как дела? Всё хорошо, спасибо.";
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(russian);
    assert_eq!(read("text/plain", &bytes), (russian.into(), "windows-1251", How::Detected));
    let japanese = "これは日本語の文章です。";
    let (bytes, ..) = encoding_rs::SHIFT_JIS.encode(japanese);
    assert_eq!(read(HTML, &bytes), (japanese.into(), "Shift_JIS", How::Detected));
    let escapes = b"\x1b$B$3$s\x1b(B";
    assert_eq!(read("text/plain", escapes).1, "UTF-8", "ISO-2022-JP is never guessed");
}

#[test]
fn the_rule_of_requests_can_be_had() {
    let latin = |content_type: &'static str, bytes: &[u8]| {
        let decoded = decode(bytes, Some(content_type.as_bytes()), Fallback::Latin1);
        (decoded.text.into_owned(), decoded.charset, decoded.how)
    };
    let expected = ("Ã©\u{80}".into(), "ISO-8859-1", How::Default);
    assert_eq!(latin(HTML, b"\xc3\xa9\x80"), expected, "not windows-1252: no euro sign");
    assert_eq!(latin("text/css", b"\xc3\xa9\x80"), expected);
    assert_eq!(latin("text/html; charset=utf-8", E), ("é".into(), "UTF-8", How::Header));
    assert_eq!(latin("text/html; charset=bogus", E).1, "ISO-8859-1");
    assert_eq!(latin("application/json", E), ("é".into(), "UTF-8", How::Default));
    assert_eq!(latin("application/octet-stream", E), ("é".into(), "UTF-8", How::Detected));
}

#[test]
fn utf_8_is_not_copied() {
    for (content_type, bytes) in [("text/plain", E), (JSON, b"{}"), (HTML, b"<p>")] {
        let decoded = decode(bytes, Some(content_type.as_bytes()), Fallback::Detect);
        assert!(matches!(decoded.text, Cow::Borrowed(_)), "{content_type}");
    }
}
