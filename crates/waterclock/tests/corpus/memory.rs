//! Every case through the unchanged client in a simulated world.

use crate::case::{Case, Then, Want};
use crate::outcome::{Outcome, check, check_words, exchange, wrongly_used};
use crate::parser::boundaries;
use crate::read;
use std::thread;
use std::time::Duration;
use waterclock::world::World as _;
use waterclock::{Limits, RedirectPolicy, SessionBuilder, Tick};
use waterclock_sim::{Script, SimWorld};

const ADDRESS: &str = "192.0.2.1:80";
/// Between two pieces.
const PAUSE: Duration = Duration::from_millis(1);
/// Far longer than any case takes: an error that has to wait for it does not come at once.
const READ: Duration = Duration::from_secs(1_000);
/// Inputs up to this size are cut at every boundary here as well as in the parser.
const SMALL: usize = 128;

/// What came of a case, and whether its connection served the next request.
type Ran = (Outcome, bool);

fn answer(text: &str) -> Script {
    let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    Script::new().expect_head().send(bytes)
}

fn script<'p>(case: &Case, pieces: impl Iterator<Item = &'p [u8]>) -> Script {
    let mut script = Script::new().expect_head();
    for (at, piece) in pieces.enumerate() {
        script = if at > 0 { script.wait(PAUSE) } else { script };
        script = script.send(piece);
    }
    match case.then {
        Then::Hold => script.then(answer("kept")),
        Then::Fin | Then::Cut => script.close(),
        Then::Reset => script.reset(),
    }
}

/// Runs a case and then another request, which must get its own answer.
fn run<'p>(case: &Case, pieces: impl Iterator<Item = &'p [u8]>) -> Result<Ran, String> {
    let world = SimWorld::new();
    let first = std::sync::Mutex::new(script(case, pieces));
    world.listen(ADDRESS).serve_with(move |number| match number {
        0 => first.lock().unwrap().clone(),
        _ => Script::new().repeat(answer("new")),
    });
    let follow = if case.follow { RedirectPolicy::default() } else { RedirectPolicy::none() };
    let session = SessionBuilder::in_world(world.clone())
        .limits(Limits::per_wait(READ))
        .caps(case.client_caps())
        .redirects(follow)
        .build()
        .unwrap();
    let (outcome, error) = exchange(&session, case, "http://192.0.2.1/");
    check_words(&case.want, error.as_ref())?;
    let waits = matches!(&case.want, Want::Error { kind: waterclock::ErrorKind::Timeout, .. });
    if !waits && world.now() >= Tick::ZERO.after(READ) {
        return Err("it waited for a limit".into());
    }
    // What belongs to no answer may still be on its way.
    world.advance(Duration::from_secs(1));
    let mut second =
        session.get("http://192.0.2.1/next").send().map_err(|error| error.to_string())?;
    let said = second.text().map_err(|error| error.to_string())?;
    if !matches!(said.as_str(), "kept" | "new") || second.status() != 200 {
        return Err(format!("the next request got {} {said:?}", second.status()));
    }
    drop((second, session));
    match world.open_sockets() {
        0 => Ok((outcome, said == "kept")),
        open => Err(format!("{open} sockets are open")),
    }
}

/// All that is wrong with a case, and how many runs it took to find out.
fn examine(case: &Case) -> (usize, Result<(), String>) {
    let whole = match run(case, [case.send.as_slice()].into_iter()) {
        Ok(whole) => whole,
        Err(what) => return (1, Err(what)),
    };
    if let Err(what) = check(&case.want, &whole.0) {
        return (1, Err(what));
    }
    if !case.follow && wrongly_used(&case.want, whole.1) {
        return (1, Err(format!("used again: {}", whole.1)));
    }
    let size = if case.send.len() > 4096 { 997 } else { 1 };
    let mut runs = 2;
    let mut each = vec![(format!("{size} at a time"), run(case, case.send.chunks(size)))];
    if case.send.len() <= SMALL {
        for at in boundaries(case.send.len()) {
            let (head, tail) = case.send.split_at(at);
            each.push((format!("cut at {at}"), run(case, [head, tail].into_iter())));
            runs += 1;
        }
    }
    for (how, ran) in each {
        match ran {
            Ok(ran) if ran.0 == whole.0 && !wrongly_used(&case.want, ran.1) => {}
            Ok(ran) if ran.0 == whole.0 && case.follow => {}
            other => return (runs, Err(format!("{how}: {other:?}, not {whole:?}"))),
        }
    }
    (runs, Ok(()))
}

#[test]
fn the_client_says_the_same_in_memory_however_a_response_is_cut() {
    // A cut is one of TLS: without it the end is the end.
    let cases: Vec<_> = read::all().into_iter().filter(|case| case.then != Then::Cut).collect();
    let share = cases.len().div_ceil(4);
    let results: Vec<(usize, Vec<String>)> = thread::scope(|scope| {
        let work = |cases: &[Case]| {
            let (mut runs, mut wrong) = (0, Vec::new());
            for case in cases {
                let (count, result) = examine(case);
                runs += count;
                if let Err(what) = result {
                    wrong.push(format!("{}:{}: {}: {what}", case.file, case.line, case.name));
                }
            }
            (runs, wrong)
        };
        let threads: Vec<_> =
            cases.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let runs: usize = results.iter().map(|(runs, _)| runs).sum();
    let wrong: Vec<_> = results.into_iter().flat_map(|(_, wrong)| wrong).collect();
    println!("{} cases, {runs} exchanges and as many that follow", cases.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
