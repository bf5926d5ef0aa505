//! The same scene, slower or faster.

use std::time::Duration;

use super::{Host, ProxyPlan, Queue, Scene, Serves, Speaks};
use crate::proxy::ProxyAction;
use crate::step::Step;

impl Scene {
    /// The scene with all its times multiplied, for limits other than those it was written for.
    /// `Retry-After` has whole seconds and stays as it is.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Scene {
        let time = |time: Duration| {
            Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(time)
        };
        if let Speaks::Https { script, .. } = &mut self.speaks {
            script.change_times(time);
        }
        if let Some(Host { lookup: Some(lookup), .. }) = &mut self.host {
            *lookup = time(*lookup);
        }
        if let Queue::FullFor(full) = &mut self.queue {
            *full = time(*full);
        }
        match &mut self.proxy {
            None => {}
            Some(ProxyPlan::SocksAfter(wait)) => *wait = time(*wait),
            Some(ProxyPlan::SocksAnswer(steps) | ProxyPlan::Http(ProxyAction::Answer(steps))) => {
                change(steps, &time);
            }
            Some(ProxyPlan::Http(ProxyAction::Forward { before, established })) => {
                change(before, &time);
                change(established, &time);
            }
        }
        match &mut self.serves {
            Serves::Connection(steps) => change(steps, &time),
            Serves::Routes(routes) => {
                for route in routes {
                    change(&mut route.steps, &time);
                }
            }
        }
        self
    }
}

fn change(steps: &mut [Step], time: &impl Fn(Duration) -> Duration) {
    for step in steps {
        match step {
            Step::Sleep(wait) => *wait = time(*wait),
            Step::ReadSlowly { every, .. }
            | Step::Drip { every, .. }
            | Step::DripWire { every, .. } => *every = time(*every),
            Step::Loop(steps) | Step::Repeat(_, steps) => change(steps, time),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_of_a_scene_is_multiplied() {
        let text = |first: u32, rest: u32| {
            format!(
                r#"
                name = "all"
                description = "Everything that takes time."
                listen = "https"
                backlog = "{rest}ms"
                host = {{ name = "all.test", lookup = "{rest}ms" }}
                tls = {{ first_flight = ["{first}ms", {rest}e-3], drip = 8, every = "{rest}ms" }}
                proxy = {{ kind = "http", wait = "{rest}ms", drip = 4, every = "{rest}ms" }}
                [[route]]
                steps = [
                    {{ wait = "{rest}ms" }},
                    {{ read_slowly = 8, every = "{rest}ms" }},
                    {{ repeat = 2, steps = [{{ bytes = 9, drip = 3, every = "{rest}ms" }}] }},
                    {{ retry_after = 1 }},
                ]
                "#
            )
        };
        let slower = Scene::parse(&text(10, 20)).unwrap().scaled(2.5);
        let written = Scene::parse(&text(25, 50)).unwrap();
        assert_eq!(format!("{slower:?}"), format!("{written:?}"));
    }
}
