//! What the server says about its time, below the wait for its head.

use super::*;

fn answered() -> Timeline {
    let mut t = call("https://한국.test/", Limits::none());
    t.record_wait(Phase::Resolve, What::Answer, us(0), us(10_000), None, SpanEnd::Ready);
    t.record_wait(Phase::FirstByte, What::Read, us(10_000), us(110_000), None, SpanEnd::Ready);
    t.record_wait(Phase::Body, What::Read, us(110_000), us(120_000), None, SpanEnd::Ready);
    t.finish(us(120_000));
    t
}

fn said() -> ServerTiming {
    ServerTiming::of([&b"db;dur=53, app;dur=41.2"[..], "물".as_bytes()]).unwrap()
}

#[test]
fn it_stands_between_the_head_and_the_body() {
    let text = Table::Waterfall.render_with(&answered(), Some(&said()), &Style::default());
    assert_eq!(
        format!("\n{text}"),
        "
 #  wait            0              50             100        ms  of its limit
 1  dns 한국.test   ███                                    10.0  no limit
 2  read headers       ██████████████████████████████     100.0  no limit
    server says: db 53.0, app 41.2, 물
 3  read body                                        ███   10.0  no limit
    █ waited

 120.0 ms = 120.0 waiting + 0.0 local work + 0.0 unaccounted
"
    );
}

#[test]
fn it_is_dim_where_there_is_colour_and_ascii_where_there_is_nothing_else() {
    let of = |style| Table::Waterfall.render_with(&answered(), Some(&said()), &style);
    let dim = "\n\x1b[2m    server says: db 53.0, app 41.2, 물\x1b[0m\n";
    assert!(of(Style { color: true, ..Style::default() }).contains(dim));
    let ascii = of(Style { charset: Charset::Ascii, ..Style::default() });
    assert!(ascii.is_ascii() && ascii.contains("app 41.2, \\u{bb3c}\n"), "{ascii}");
}

#[test]
fn without_such_waits_it_still_has_a_place() {
    let mut none = call("http://h.test/", Limits::none());
    none.finish(us(10));
    let text = Table::Waterfall.render_with(&none, Some(&said()), &Style::default());
    assert!(text.starts_with("    server says: db"), "{text}");
    let mut many = call("http://h.test/", Limits::none());
    for n in 0..10_000 {
        many.record_wait(
            Phase::Body,
            What::Read,
            us(n * 100),
            us(n * 100 + 100),
            None,
            SpanEnd::Ready,
        );
    }
    many.finish(us(1_000_000));
    let text = Table::Waterfall.render_with(&many, Some(&said()), &Style::default());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].contains("server says") && lines[2].contains("read body"), "{text}");
    let blame = Table::Blame.render_with(&many, Some(&said()), &Style::default());
    assert!(!blame.contains("server says"));
}
