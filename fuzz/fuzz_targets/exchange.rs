//! Three requests of one session to two origins whose answers, delays, pieces and cuts the input
//! has written, in the simulated world: each ends within its limit, none is given what answers
//! another, and what is secret stays with its origin.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use waterclock::world::World;
use waterclock::{Error, Limits, Method, Response, Session, SessionBuilder, Timeline};
use waterclock_fuzz::input::Input;
use waterclock_fuzz::site::{Server, Turn, Turns};
use waterclock_sim::{Link, SimWorld};

const TOTAL: Duration = Duration::from_secs(3);
/// Origins, and where they are. The second one must not get the secret.
const PLACES: [(&str, &str); 2] = [("a.test", "192.0.2.1"), ("b.test", "192.0.2.2")];

/// What only we can have said.
struct Texts {
    authorization: String,
    /// One for each request, which its answer repeats.
    marks: [String; 3],
}

impl Texts {
    fn new(input: Input<'_>) -> Self {
        Texts {
            authorization: input.secret(3),
            marks: [0, 1, 2].map(|number| input.secret(number)),
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let texts = Texts::new(input);
    let (choice, link) = (input.byte(), input.byte());
    let mut turns = VecDeque::new();
    while !input.0.is_empty() && turns.len() < 8 {
        turns.push_back(Turn::read(&mut input));
    }
    let world = world(link, &Arc::new(Mutex::new(turns)));
    let limits = Limits::builder().total(TOTAL).build();
    let session = SessionBuilder::in_world(world.clone()).limits(limits).build();
    let session = session.expect("nothing is wrong with it");
    for number in 0..3_u8 {
        let started = world.now();
        let timeline = match send(&session, &texts, choice, number) {
            Ok(response) => finish(response, &texts, choice, number),
            Err(error) => fail(&error, &texts, choice),
        };
        let timeline = timeline.expect("every call has one");
        assert!(timeline.is_finished() && timeline.unaccounted().is_zero());
        assert!(world.now() <= started.after(TOTAL), "request {number} outlived its limit");
    }
    assert!(
        !world.received("192.0.2.2:80").iter().any(|text| contains(text, &texts.authorization))
    );
    drop(session);
    assert_eq!(world.open_sockets(), 0);
});

/// Two servers that take the same turns, behind a link that may cut what it carries into pieces.
fn world(link: u8, turns: &Turns) -> Arc<SimWorld> {
    let world = SimWorld::with_seed(u64::from(link));
    let latency = Duration::from_millis(u64::from(link & 7) * 5);
    let whole = Link::new().latency(latency);
    let link = if link & 8 == 0 { whole } else { whole.short_reads().short_writes() };
    for (name, address) in PLACES {
        world.host(name).resolves_to([address]);
        let turns = Arc::clone(turns);
        let listener = world.listen(format!("{address}:80")).link(link.clone());
        listener.serve_with(move |_| Server::new(&turns));
    }
    world
}

/// The third request may go to the other origin; the first two share a connection if they can.
fn send(session: &Session, texts: &Texts, choice: u8, number: u8) -> Result<Response, Error> {
    let elsewhere = number == 2 && choice & 1 != 0;
    let (host, _) = PLACES[usize::from(elsewhere)];
    let method =
        [Method::Get, Method::Head, Method::Post][usize::from(choice >> (2 + number)) % 3].clone();
    let request = session.request(method.clone(), format!("http://{host}/r{number}"));
    let request = request.header("X-Request", &texts.marks[usize::from(number)]);
    let request = if method == Method::Post { request.body("content") } else { request };
    match elsewhere {
        true => request.send(),
        false => request.header("Authorization", &texts.authorization).send(),
    }
}

/// Reads the body, or a part of it.
fn finish(mut response: Response, texts: &Texts, choice: u8, number: u8) -> Option<Timeline> {
    let mut content = vec![0; 64];
    let read = if choice & 2 == 0 {
        response.content()
    } else {
        response.read_body(&mut content).map(|count| content[..count].to_vec())
    };
    match read {
        Ok(content) => {
            let own = &texts.marks[usize::from(number)];
            let others = texts.marks.iter().any(|mark| mark != own && contains(&content, mark));
            assert!(!others, "request {number} got {}", content.escape_ascii());
            Some(response.close())
        }
        Err(error) => fail(&error, texts, choice),
    }
}

/// An error fits on a terminal and has no secret in it.
fn fail(error: &Error, texts: &Texts, choice: u8) -> Option<Timeline> {
    let secret = &texts.authorization;
    let text = error.to_string();
    assert!(!text.contains(char::is_control) && !text.contains(secret), "{text:?}");
    // Drawing the screen takes as long as the exchange.
    if choice & 128 != 0 {
        let explained = error.explain();
        assert!(!explained.contains(|c: char| c.is_control() && c != '\n'), "{explained:?}");
        assert!(!explained.contains(secret), "{explained:?}");
    }
    error.timeline().cloned()
}

fn contains(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|window| window == word.as_bytes())
}
