//! Never more lenient than both: what we take as a response, at least one of two other parsers
//! takes as well, with the same fields, framing, content and end.

use crate::others::{self, Framed, Seen};
use crate::reading::{self, End, Outcome};
use crate::rules;
use waterclock_proto::h1::{Caps, CloseReason, Framing, keep_alive};
use waterclock_proto::message::Method;

/// Holds our reading of the answer to a GET against the others'.
pub fn check(input: &[u8]) {
    let ours = read(input);
    let Some((head, [start, end], framing)) = &ours.head else { return };
    if matches!(ours.end, End::Failed(_)) {
        return;
    }
    let shown_head = rules::head(skip_empty_line(&input[*start..*end]));
    let (coded, behind) = input[*end..].split_at(ours.used - end);
    let body = match framing {
        Framing::Chunked => rules::chunks(coded, ours.end == End::Done),
        _ => coded.to_vec(),
    };
    let refused = compare(&ours, &shown_head, &body, behind);
    if let Err(difference) = refused {
        assert!(matches!(framing, Framing::None | Framing::Upgrade), "{difference}");
        let reason = keep_alive(false, head, *framing);
        let closed = Err(CloseReason::FramingConflict);
        assert!(reason == closed || *framing == Framing::Upgrade, "{reason:?}, but {difference}");
        let bare = rules::without_framing(&shown_head);
        compare(&ours, &bare, &body, behind).unwrap_or_else(|difference| panic!("{difference}"));
    }
}

/// Holds one interim head against the others'. Its framing fields mean nothing.
pub fn check_interim(head: &[u8], status: u16) {
    let shown = rules::without_framing(&rules::head(skip_empty_line(head)));
    let agrees = |seen: Seen| (seen.status, seen.framed) == (status, Framed::Length(0));
    assert!(
        others::by_kawa(&shown).is_some_and(agrees) || others::by_milo(&shown).is_some_and(agrees),
        "both refuse what we pass over: {}",
        shown.escape_ascii()
    );
}

/// Gives what we have understood, spelled strictly, to ourselves and the others.
fn compare(ours: &Outcome, head: &[u8], body: &[u8], behind: &[u8]) -> Result<(), String> {
    let shown = [head, body, behind].concat();
    let same = read(&shown);
    let meaning = |outcome: &Outcome| {
        let (head, _, framing) = outcome.head.as_ref().expect("it has one");
        (head.status, *framing, outcome.content.clone(), outcome.end == End::Done)
    };
    assert!(same.head.is_some(), "a rule broke it: {}", shown.escape_ascii());
    assert_eq!(meaning(&same), meaning(ours), "a rule changed it: {}", shown.escape_ascii());
    assert_eq!(same.used, head.len() + body.len(), "{}", shown.escape_ascii());

    let seen = seen(&same);
    let kawa = others::by_kawa(&shown);
    if kawa.as_ref() == Some(&seen) {
        return Ok(());
    }
    let milo = others::by_milo(&shown);
    if milo.as_ref() == Some(&seen) {
        return Ok(());
    }
    let shown = shown.escape_ascii();
    Err(format!("both differ on {shown}\nours {seen:?}\nkawa {kawa:?}\nmilo {milo:?}"))
}

fn read(input: &[u8]) -> Outcome {
    reading::whole(&Method::Get, Caps::default(), input, false)
}

fn seen(outcome: &Outcome) -> Seen {
    let (head, _, framing) = outcome.head.as_ref().expect("it has one");
    Seen {
        status: head.status,
        fields: others::fields(head.headers.raw()),
        framed: (*framing).into(),
        body: outcome.content.clone(),
        end: (outcome.end == End::Done).then_some(outcome.used),
    }
}

fn skip_empty_line(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\r\n").or(head.strip_prefix(b"\n")).unwrap_or(head)
}
