//! The scenes: which servers, which calls, and how they must end.

use super::act::{self, Act, Expect, Played};
use super::stage::Stage;
use std::io;
use std::time::Duration;
use waterclock::screen::Style;
use waterclock::{ErrorKind, Limit, Phase};
use waterclock_lab::{
    ProxyAction, Script, Step, TlsScript, after, head, redirect, respond, respond_with,
};

/// More than the buffers of both kernels hold.
const LARGE: usize = 16 << 20;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A machine that is busy with something else may be later than a scene's limits allow.
const TRIES: usize = 8;

/// A play in one or more acts.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    set: fn(&mut Stage) -> io::Result<()>,
    acts: &'static [Act],
}

impl Scene {
    /// Plays all acts, each until it goes as expected, or has gone otherwise too often.
    pub(super) fn play(&self, style: &Style) -> io::Result<Vec<Played>> {
        let mut stage = Stage::new()?;
        (self.set)(&mut stage)?;
        stage.open()?;
        let mut session = stage.session()?;
        let mut played = Vec::new();
        for act in self.acts {
            // Only where that is the point does an act find the connection of the one before it.
            if matches!(act.expect, Expect::Reused(_)) {
                played.push(act.play(&session, style)?);
                continue;
            }
            for left in (0..TRIES).rev() {
                session = stage.session()?;
                let last = act.play(&session, style)?;
                if last.problem.is_none() || left == 0 {
                    played.push(last);
                    break;
                }
                act::again(style)?;
            }
        }
        Ok(played)
    }
}

const fn act(says: &'static str, line: &'static str, expect: Expect) -> Act {
    Act { says, line, upload: 0, expect }
}

pub(super) const SCENES: [Scene; 16] = [
    Scene {
        name: "seed",
        title: "timeout=0.12, and 0.32 s later a 200: why did it not fire?",
        set: |stage| {
            // Waits of 80 ms under a limit of 120 leave room for a busy machine.
            let flights = TlsScript::new().first_flight([ms(60), ms(20)]);
            let head = head(200, &[("Content-Length", "14200")]);
            let (first, rest) = head.split_at(head.len() / 2);
            let script = Script::every_request(vec![
                Step::sleep_ms(80),
                Step::send(first),
                Step::sleep_ms(80),
                Step::Send([rest.to_vec(), page(14_200)].concat()),
            ]);
            stage.server("google.co.kr", ms(80), Some(flights), script)
        },
        acts: &[
            act(
                "The name server answers after 80 ms, the TLS server after 60 ms and 20 ms more, and the \
                 headers come in two parts, 80 ms each. No single wait takes 120 ms.",
                "-t 0.12 https://google.co.kr",
                Expect::Status(200, ms(320)),
            ),
            act(
                "The same servers, but 120 ms are a deadline now, for everything together.",
                "--total 0.12 https://google.co.kr",
                Expect::Limit(Limit::Total, Phase::Tls),
            ),
        ],
    },
    Scene {
        name: "drip",
        title: "headers that trickle in: every wait is short, the sum is long",
        set: |stage| {
            let head = head(200, &[("Content-Length", "0"), ("Server", "drip")]);
            let steps = vec![Step::drip(head, 8, ms(80))];
            stage.server("drip.test", ms(0), None, Script::every_request(steps))
        },
        acts: &[
            act(
                "The server sends 8 bytes of the headers every 80 ms. A limit on each wait never \
                 fires.",
                "-t 0.12 http://drip.test/",
                Expect::Status(200, ms(480)),
            ),
            act(
                "A limit on the whole head does.",
                "--head-timeout 0.3 http://drip.test/",
                Expect::Limit(Limit::Head, Phase::Head),
            ),
        ],
    },
    Scene {
        name: "stall",
        title: "a body that stops in the middle",
        set: |stage| {
            let mut steps = vec![Step::send(head(200, &[("Content-Length", "5000")]))];
            steps.extend([Step::send(page(1_200)), Step::Stall]);
            stage.server("stall.test", ms(0), None, Script::every_request(steps))
        },
        acts: &[act(
            "The server promises 5000 bytes, sends 1200 and falls silent.",
            "--read-timeout 0.2 http://stall.test/",
            Expect::Limit(Limit::Read, Phase::Body),
        )],
    },
    Scene {
        name: "tls",
        title: "a TLS handshake that is never answered",
        set: |stage| {
            let mute = TlsScript::new().stall_after(0);
            stage.server("mute.test", ms(0), Some(mute), Script::default())
        },
        acts: &[act(
            "The server accepts the connection and says nothing.",
            "--tls-timeout 0.2 https://mute.test/",
            Expect::Limit(Limit::Tls, Phase::Tls),
        )],
    },
    Scene {
        name: "backlog",
        title: "a host that answers no connection",
        set: |stage| stage.black_hole("hole.test"),
        acts: &[act(
            "The host's queue is full, and its kernel drops every attempt to connect.",
            "-t 0.12 http://hole.test/",
            Expect::Limit(Limit::Address, Phase::Connect),
        )],
    },
    Scene {
        name: "dns",
        title: "a name server that does not answer",
        set: |stage| {
            stage.silent_name("silent.test");
            Ok(())
        },
        acts: &[act(
            "The name server says nothing about this name. Most clients have no limit here.",
            "--resolve-timeout 0.2 http://silent.test/",
            Expect::Limit(Limit::Resolve, Phase::Resolve),
        )],
    },
    Scene {
        name: "upload",
        title: "a server that stops taking the request",
        set: |stage| stage.server("full.test", ms(0), None, vec![Step::ReadHead, Step::Stall]),
        acts: &[Act {
            says: "The server reads the headers and then no more. (The file is made up: 16 MB.)",
            line: "--write-timeout 0.2 http://full.test/ -d @large.bin",
            upload: LARGE,
            expect: Expect::Limit(Limit::Write, Phase::Upload),
        }],
    },
    Scene {
        name: "proxy",
        title: "a proxy whose answer trickles in",
        set: |stage| {
            stage.server("shop.test", ms(0), Some(TlsScript::new()), Script::default())?;
            stage.proxy("proxy.test", 3128, || ProxyAction::drip(4, ms(50)))
        },
        acts: &[act(
            "The proxy sends 4 bytes of its answer to CONNECT every 50 ms. The dialogue has a limit \
             of its own, over all its waits.",
            "--tunnel-timeout 0.2 -x proxy.test:3128 https://shop.test/",
            Expect::Limit(Limit::Tunnel, Phase::Tunnel),
        )],
    },
    Scene {
        name: "continue",
        title: "100 Continue that never comes",
        set: |stage| {
            let script = Script::by_head(|_| {
                [vec![Step::ReadBodyInSilence], respond(200, "thanks")].concat()
            });
            stage.server("shy.test", ms(0), None, script)
        },
        acts: &[act(
            "The server takes a body without having asked for it. The limit passes, which is no \
             failure, and the body is sent.",
            "--expect-continue --continue-timeout 0.2 http://shy.test/ -d hello",
            Expect::Status(200, ms(200)),
        )],
    },
    Scene {
        name: "early",
        title: "a refusal in the middle of an upload is read, not lost",
        set: |stage| {
            let refusal = respond_with(413, &[("Connection", "close")], "too much\n");
            let steps = [vec![Step::ReadHead, Step::sleep_ms(50)], refusal, vec![Step::Stall]];
            stage.server("small.test", ms(0), None, steps.concat())
        },
        acts: &[Act {
            says: "The server reads only the headers and answers 413 while the body is still being \
                   sent. (The file is made up: 16 MB.)",
            line: "http://small.test/ -d @large.bin",
            upload: LARGE,
            expect: Expect::Status(413, ms(50)),
        }],
    },
    Scene {
        name: "reset",
        title: "a connection that is reset instead of an answer",
        set: |stage| {
            let steps = vec![Step::ReadHead, Step::sleep_ms(50), Step::Reset];
            stage.server("rude.test", ms(0), None, steps)
        },
        acts: &[act(
            "The server takes the request and resets the connection. No limit has to do with that.",
            "http://rude.test/",
            Expect::Kind(ErrorKind::Receive),
        )],
    },
    Scene {
        name: "cut",
        title: "a body that ends early",
        set: |stage| {
            let promise = Step::send(head(200, &[("Content-Length", "5000")]));
            let steps = vec![Step::ReadHead, promise, Step::send(page(1_200)), Step::Close];
            stage.server("cut.test", ms(0), None, steps)
        },
        acts: &[act(
            "The server promises 5000 bytes, sends 1200 and closes the connection.",
            "http://cut.test/",
            Expect::Kind(ErrorKind::IncompleteBody),
        )],
    },
    Scene {
        name: "keepalive",
        title: "a second request spares the lookup, TCP and TLS",
        set: |stage| {
            let flights = TlsScript::new().first_flight([ms(60)]);
            let script = Script::every_request(after(ms(30), respond(200, "hello\n")));
            stage.server("shop.test", ms(40), Some(flights), script)
        },
        acts: &[
            act(
                "The name takes 40 ms, TLS 60 ms, each answer 30 ms.",
                "--total 0.5 https://shop.test/one",
                Expect::Status(200, ms(130)),
            ),
            act(
                "A second request of the same session finds the connection still open.",
                "--total 0.5 https://shop.test/two",
                Expect::Reused(200),
            ),
        ],
    },
    Scene {
        name: "gateway",
        title: "a 504 that is the server's timeout and not yours",
        set: |stage| {
            let script = Script::every_request(after(ms(150), respond(504, "upstream\n")));
            stage.server("gateway.test", ms(0), None, script)
        },
        acts: &[act(
            "The server gives up on a server behind it, and says so.",
            "-t 0.5 http://gateway.test/",
            Expect::Status(504, ms(150)),
        )],
    },
    Scene {
        name: "redirect",
        title: "three hops, each within its limits: where did 0.26 s go?",
        set: |stage| {
            let moved = after(ms(60), redirect(301, "http://www.shop.test/"));
            stage.server("shop.test", ms(40), None, Script::every_request(moved))?;
            let script = Script::by_request(|request| match request.path() {
                "/" => after(ms(60), redirect(302, "/home")),
                _ => after(ms(60), respond(200, "welcome\n")),
            });
            stage.server("www.shop.test", ms(40), None, script)
        },
        acts: &[
            act(
                "The shop has moved, and its new server sends everybody to another page. Each name \
                 takes 40 ms, each answer 60 ms.",
                "-L -t 0.12 http://shop.test/",
                Expect::Status(200, ms(260)),
            ),
            act(
                "A deadline goes on over all hops.",
                "-L --total 0.23 http://shop.test/",
                Expect::Limit(Limit::Total, Phase::FirstByte),
            ),
        ],
    },
    Scene {
        name: "retry",
        title: "a retry that would come too late is not waited for",
        set: |stage| {
            // Each connection's first request is one too many.
            let script = Script::by_request(|request| match request.number {
                0 => after(ms(30), respond_with(503, &[("Retry-After", "60")], "later\n")),
                _ => after(ms(30), respond(200, "now\n")),
            });
            stage.server("busy.test", ms(0), None, script)
        },
        acts: &[
            act(
                "The server asks to be left alone for a minute. There is not even a second left, so the \
                 answer is handed over at once.",
                "--total 0.5 --retry 3 http://busy.test/",
                Expect::Status(503, ms(30)),
            ),
            act(
                "With a cap on such waits, the next try comes in time.",
                "--total 0.5 --retry 3 --retry-max-delay 0.1 http://busy.test/",
                Expect::Status(200, ms(160)),
            ),
        ],
    },
];

/// So many bytes of a page.
fn page(bytes: usize) -> Vec<u8> {
    b"water ".iter().copied().cycle().take(bytes).collect()
}
