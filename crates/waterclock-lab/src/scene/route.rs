//! Which steps a request gets.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::log::ReceivedRequest;
use crate::script::Script;
use crate::step::{Step, respond};
use crate::stop::lock;

/// What is done with requests for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// `*` is every path, and a `*` at the end everything that begins so.
    pub(super) path: String,
    pub(super) method: Option<String>,
    /// So many requests in its turn.
    pub(super) times: usize,
    pub(super) steps: Vec<Step>,
}

impl Route {
    fn takes(&self, request: &ReceivedRequest) -> bool {
        let path = request.path();
        let by_path = match self.path.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == self.path,
        };
        by_path && self.method.as_ref().is_none_or(|method| *method == request.method)
    }

    /// Routes that stand for the same requests take turns.
    fn is_turn_of(&self, other: &Route) -> bool {
        self.path == other.path && self.method == other.method
    }
}

/// The script of these routes. The first one that takes a request decides about the path; what no
/// route takes is a 404.
pub(super) fn script(routes: Vec<Route>) -> Script {
    let served: Mutex<HashMap<usize, usize>> = Mutex::default();
    Script::by_head(move |request| {
        let Some(first) = routes.iter().position(|route| route.takes(request)) else {
            return respond(404, "the scene has no route for this\n");
        };
        let number = {
            let mut served = lock(&served);
            let count = served.entry(first).or_default();
            *count += 1;
            *count - 1
        };
        let steps = turn(&routes, first, number).map(|route| route.steps.clone());
        with_body_read(steps.unwrap_or_default())
    })
}

/// The route whose turn the request of this number is.
fn turn(routes: &[Route], first: usize, number: usize) -> Option<&Route> {
    let leader = routes.get(first)?;
    let turns: Vec<&Route> = routes.iter().filter(|route| route.is_turn_of(leader)).collect();
    let round: usize = turns.iter().map(|route| route.times).sum();
    let mut place = number.checked_rem(round)?;
    turns.into_iter().find(|route| {
        let is_it = place < route.times;
        place = place.saturating_sub(route.times);
        is_it
    })
}

/// The body is read first, unless the steps do that in their own way.
fn with_body_read(mut steps: Vec<Step>) -> Vec<Step> {
    if !steps.iter().any(reads) {
        steps.insert(0, Step::ReadBody);
    }
    steps
}

fn reads(step: &Step) -> bool {
    match step {
        Step::ReadBody | Step::ReadBodyInSilence | Step::ReadSlowly { .. } | Step::Drain => true,
        Step::Loop(steps) | Step::Repeat(_, steps) => steps.iter().any(reads),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str, times: usize, word: &str) -> Route {
        Route { path: path.into(), method: None, times, steps: vec![Step::send(word)] }
    }

    #[test]
    fn routes_of_a_path_take_turns() {
        let routes = [route("/", 2, "a"), route("/other", 1, "x"), route("/", 1, "b")];
        let words: Vec<_> = (0..6).map(|n| turn(&routes, 0, n).unwrap().steps[0].clone()).collect();
        assert_eq!(words, ["a", "a", "b", "a", "a", "b"].map(Step::send));
    }

    #[test]
    fn a_route_that_is_never_its_turn_gives_nothing() {
        assert_eq!(turn(&[route("/", 0, "a")], 0, 0), None);
        assert_eq!(turn(&[], 0, 0), None);
    }

    #[test]
    fn a_body_is_read_once() {
        let own = vec![Step::sleep_ms(1), Step::ReadBodyInSilence];
        assert_eq!(with_body_read(own.clone()), own);
        assert_eq!(with_body_read(vec![Step::Stall]), [Step::ReadBody, Step::Stall]);
    }
}
