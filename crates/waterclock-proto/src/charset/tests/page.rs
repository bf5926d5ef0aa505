//! What a page says about itself, and what only looks as if it did.

use super::*;

/// The charset that the page declares, if it does.
fn declared(content_type: &str, page: &[u8]) -> Option<&'static str> {
    let (_, charset, how) = read(content_type, page);
    (how == How::Meta).then_some(charset)
}

fn html(page: &str) -> Option<&'static str> {
    declared("text/html", page.as_bytes())
}

#[test]
fn a_page_declares_its_charset() {
    for (page, charset) in [
        ("<meta charset=gbk>", "GBK"),
        ("<!doctype html><html lang=zh><head><META  CHARSET = 'GBK' />", "GBK"),
        ("<meta/charset=\"gbk\"/>", "GBK"),
        ("<meta charset=gbk charset=utf-8>", "GBK"),
        ("<meta charset=bogus><meta charset=gbk>", "GBK"),
        ("<meta name=x><meta charset=gbk>", "GBK"),
        ("<meta http-equiv=Content-Type content='text/html; charset=gbk'>", "GBK"),
        ("<meta content=\"text/html;charset = 'gbk'\" http-equiv=\"content-type\">", "GBK"),
        ("<meta http-equiv=content-type content='charset charset=gbk;x'>", "GBK"),
        ("<meta charset=utf-16>", "UTF-8"),
        ("<meta charset=utf-32>", "UTF-8"),
        ("<meta charset=x-user-defined>", "windows-1252"),
        ("<!-- a --><meta charset=gbk>", "GBK"),
        ("<!--><meta charset=gbk>", "GBK"),
        ("<!-- <meta charset=big5> --!> --><meta charset=gbk>", "GBK"),
        ("</p x='>'><meta charset=gbk>", "GBK"),
        ("<a title='<meta charset=big5>'><meta charset=gbk>", "GBK"),
        ("<? <meta charset=big5><meta charset=gbk>", "GBK"),
        ("<?xml version='1.0' encoding='gbk'?><p>", "GBK"),
        ("<?xml version='1.0' encoding='big5'?><meta charset=gbk>", "GBK"),
        ("< <a =x=y><meta charset=gbk>", "GBK"),
    ] {
        assert_eq!(html(page), Some(charset), "{page}");
    }
}

#[test]
fn what_looks_like_a_declaration_is_none() {
    for page in [
        "<!-- <meta charset=gbk> -->",
        "<!-- <meta charset=gbk>",
        "<!--<meta charset=gbk>--",
        "<metal charset=gbk>",
        "<a charset=gbk>",
        "<a title='<meta charset=gbk>'>",
        "<a title='<meta charset=gbk>",
        "<meta data-charset=gbk>",
        "<meta content='text/html; charset=gbk'>",
        "<meta http-equiv=refresh content='text/html; charset=gbk'>",
        "<meta http-equiv=content-type content='text/html; charset \"gbk\"'>",
        "<meta http-equiv=content-type content='text/html; charset=\"gbk'>",
        "<meta charset=bogus>",
        "<meta charset=gbk",
        "<meta charset='gbk",
        "<meta charset=",
        " <?xml encoding='gbk'?>",
        "<?xml encoding=gbk?>",
        "<?xml encoding='gbk",
        "meta charset=gbk",
        "<",
        "",
    ] {
        assert_eq!(html(page), None, "{page}");
    }
}

#[test]
fn only_the_first_1024_bytes_are_looked_at() {
    let tag = "<meta charset=gbk>";
    let page = |before: usize| format!("{}{tag}", " ".repeat(before));
    assert_eq!(html(&page(1024 - tag.len())), Some("GBK"));
    assert_eq!(html(&page(1025 - tag.len())), None);
}

#[test]
fn xml_is_asked_for_its_declaration() {
    let page = b"<?xml version=\"1.0\" encoding=\"KOI8-R\"?><a>\xc1</a>";
    for content_type in ["text/xml", "application/xml", "application/atom+xml", "image/svg+xml"] {
        assert_eq!(declared(content_type, page), Some("KOI8-R"), "{content_type}");
        assert_eq!(declared(content_type, b"<meta charset=gbk>"), None, "{content_type}");
    }
    let both = b"<?xml version='1.0' encoding='koi8-r'?><meta charset=gbk>";
    assert_eq!(declared("application/xhtml+xml", both), Some("KOI8-R"));
    assert_eq!(declared("application/xhtml+xml", b"<meta charset=gbk>"), Some("GBK"));
    let wide = utf16be("<?xml version='1.0'?><a>é</a>");
    assert_eq!(declared("text/xml", &wide), Some("UTF-16BE"));
    assert_eq!(declared("text/xml", &utf16le("<?xml?>")), Some("UTF-16LE"));
}

#[test]
fn other_types_are_not_asked() {
    for content_type in ["text/plain", "application/json", "text/css", "application/octet-stream"] {
        assert_eq!(declared(content_type, b"<meta charset=gbk>"), None, "{content_type}");
    }
    assert_eq!(declared("", b"\r\n <meta charset=gbk>"), Some("GBK"), "no type at all");
    assert_eq!(declared("", b"text <meta charset=gbk>"), None);
    let page = b"<meta charset=gbk>\xc3\xa9";
    let latin = decode(page, Some(b"text/html"), Fallback::Latin1);
    assert_eq!(latin.charset, "ISO-8859-1", "requests does not look either");
}
