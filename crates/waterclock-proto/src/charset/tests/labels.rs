//! Labels as servers write them.

use super::{Charset, TextDecoder};

#[test]
fn labels_have_many_spellings() {
    for (label, name) in [
        ("utf-8", "UTF-8"),
        ("UTF8", "UTF-8"),
        ("utf_8", "UTF-8"),
        ("'utf-8'", "UTF-8"),
        (" \"UTF-8\" ", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf8mb4", "UTF-8"),
        ("ISO-8859-1", "windows-1252"),
        ("iso8859_1", "windows-1252"),
        ("latin-1", "windows-1252"),
        ("us-ascii", "windows-1252"),
        ("cp1251", "windows-1251"),
        ("CP-1250", "windows-1250"),
        ("win-1251", "windows-1251"),
        ("windows1252", "windows-1252"),
        ("iso_8859-15", "ISO-8859-15"),
        ("shift-jis", "Shift_JIS"),
        ("Shift JIS", "Shift_JIS"),
        ("cp932", "Shift_JIS"),
        ("EUC_JP", "EUC-JP"),
        ("euckr", "EUC-KR"),
        ("cp949", "EUC-KR"),
        ("gb2312", "GBK"),
        ("GB18030", "gb18030"),
        ("big5-hkscs", "Big5"),
        ("koi8_r", "KOI8-R"),
        ("utf-16", "UTF-16LE"),
        ("utf-16be", "UTF-16BE"),
        ("UTF-32", "UTF-32LE"),
        ("utf_32_be", "UTF-32BE"),
    ] {
        assert_eq!(Charset::from_label(label).map(Charset::name), Some(name), "{label}");
    }
}

#[test]
fn other_labels_say_nothing() {
    let long = "a".repeat(1 << 20);
    let unknown = ["", " ", "none", "binary", "utf-7", "x-unknown", "windows-9999", "é", &long];
    let replaced = ["iso-2022-kr", "hz-gb-2312", "replacement", "iso_2022_kr"];
    for label in unknown.into_iter().chain(replaced) {
        assert_eq!(Charset::from_label(label), None, "{label:.20}");
    }
}

#[test]
fn a_charset_leaves_out_its_own_mark_only() {
    let utf8 = Charset::from_label("utf-8").unwrap();
    assert_eq!(utf8.decode(b"\xef\xbb\xbfx"), ("x".into(), false));
    assert_eq!(utf8.decode(b"\xff\xfex"), ("\u{fffd}\u{fffd}x".into(), true));
    let utf32 = Charset::from_label("utf-32be").unwrap();
    assert_eq!(utf32.decode(b"\0\0\xfe\xff\0\x01\xf6\x00"), ("\u{1f600}".into(), false));
    assert_eq!(utf32.decode(b"\0\0\xd8\0\0\x11\0\0\0"), ("\u{fffd}\u{fffd}\u{fffd}".into(), true));
}

#[test]
fn the_callers_word_stands() {
    for (label, bytes, text) in [
        ("koi8-r", &b"\xc1"[..], "а"),
        ("utf-8", b"\xef\xbb\xbfx", "x"),
        ("utf-8", b"\xff\xfex", "\u{fffd}\u{fffd}x"),
        ("utf-16le", b"\xff\xfex\0", "x"),
    ] {
        let charset = Charset::from_label(label).unwrap();
        let (mut decoder, mut streamed) = (TextDecoder::with_charset(charset), String::new());
        bytes.chunks(1).for_each(|byte| decoder.push(byte, &mut streamed));
        decoder.finish(&mut streamed);
        assert_eq!((&*streamed, decoder.charset()), (text, Some(charset.name())));
        assert_eq!(charset.decode(bytes).0, text);
    }
}
