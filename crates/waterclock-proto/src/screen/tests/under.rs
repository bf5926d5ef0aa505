//! What other limits would have done, as exact text.

use super::super::what_if::sentences;
use super::*;

const fn only(limit: Limit, of: Duration) -> Limits {
    Limits::none().with(Limit::Continue, None).with(limit, Some(of))
}

fn asked(asked: &str, limits: Limits, t: &Timeline) -> String {
    what_if(asked, &limits, t, Table::Waterfall, &unicode())
}

#[test]
fn a_deadline_would_have_fired() {
    assert_eq!(
        asked("--total 0.12", only(Limit::Total, ms(120)), &seed(requests_limits())),
        "\
What if: --total 0.12
total would have fired at 120.0 ms in wait 3 (tls read 1), 8.4 ms into it. The
  call itself took 323.2 ms.

 #  wait               0           50           100        ms  of its limit
 1  dns google.co.kr   ████████████████████▊░░░░░░░░░░   80.1   67% of 120 total
 2  tcp 142.250.0.94                       ▕███████▊░░   30.4   78% of 39.2 left
 3  tls read 1                                     ▕█✗    8.4  100% of 8.4 left
    not reached: send request, read headers, read body
    █ waited  ░ limit left  ✗ limit expired

 120.0 ms = 118.9 waiting + 1.1 local work + 0.0 unaccounted

 total limit of 120 ms fired in tls read 1 (fired at 120.00 ms, 0.00 late)
   spent before: dns 80.1, tcp 30.4, local 1.1. In this wait: 8.4 ms, 0 bytes.
   The server had answered TCP but not TLS.
   The request itself was never sent, so a retry is safe.
"
    );
}

#[test]
fn a_limit_that_would_not_have_fired_shows_what_was_left_of_it() {
    assert_eq!(
        asked("--head-timeout 0.2", only(Limit::Head, ms(200)), &seed(requests_limits())),
        "\
What if: --head-timeout 0.2
--head-timeout 0.2 would not have fired in this call.

 #  wait               0        100       200       300     ms  of its limit
 1  dns google.co.kr   ████████                           80.1  no limit
 2  tcp 142.250.0.94           ███                        30.4  no limit
 3  tls read 1                    █████████               90.2  no limit
 4  tls read 2                             ██             18.9  no limit
 5  read headers                             ██████████  100.5   50% of 200 head
    █ waited

 323.2 ms = 320.1 waiting + 3.1 local work + 0.0 unaccounted

 No limit fired. The closest was read headers: 100.5 of 200 ms (50%), under the
   limit head.
   No deadline bounds the whole call (total is not set).
"
    );
}

#[test]
fn each_limit_answers_for_itself() {
    let t = seed(requests_limits());
    let first = |limit, of| sentences("it", &only(limit, ms(of)), &t).remove(0);
    for (limit, of, says) in [
        (
            Limit::Attempt,
            300,
            "attempt would have fired at 300.0 ms in wait 5 (read headers), 77.6 ms",
        ),
        (
            Limit::Connect,
            200,
            "connect would have fired at 200.3 ms in wait 3 (tls read 1), 88.7 ms",
        ),
        (
            Limit::FirstByte,
            90,
            "first_byte would have fired at 312.4 ms in wait 5 (read headers), 90.0",
        ),
        (
            Limit::Head,
            90,
            "head would have fired at 312.4 ms in wait 5 (read headers), 90.0 ms into",
        ),
        (
            Limit::Tls,
            100,
            "tls would have fired at 211.6 ms in wait 4 (tls read 2), 8.3 ms into it.",
        ),
        (Limit::Body, 1, "it would not have fired in this call."),
        (Limit::Read, 101, "it would not have fired in this call."),
    ] {
        assert!(first(limit, of).starts_with(says), "{limit}: {}", first(limit, of));
    }
}

#[test]
fn what_an_earlier_limit_cut_off_is_not_known() {
    let t = deadline();
    let longer = asked("--total 5", only(Limit::Total, ms(5_000)), &t);
    for words in [
        "--total 5 would not have fired in this call.\nwait 3 (tls read 1) had been ended by the limit \
         total; how long it would have\n  gone on without that is not known.\n",
        "120.0 ms so far = ",
        "The call is not over: what it still waits for is not in here yet.",
    ] {
        assert!(longer.contains(words), "{longer}");
    }
    let shorter = sentences("--total 0.1", &only(Limit::Total, ms(100)), &t);
    assert_eq!(
        shorter,
        [
            "total would have fired at 100.0 ms in wait 2 (tcp 142.250.0.94), 19.4 ms into it. The call \
          itself was ended by total after 120.0 ms."
        ]
    );
}

#[test]
fn between_two_waits_it_is_noticed_later() {
    let t = seed(requests_limits());
    let said = sentences("--total 0.111", &only(Limit::Total, us(111_300).since(us(0))), &t);
    assert_eq!(said[0].split(',').next(), Some("total would have fired at 111.3 ms in local work"));
    assert_eq!(
        said[1],
        "That is between two waits; it would have been noticed before the next one."
    );
}

#[test]
fn another_address_would_have_been_tried() {
    let mut t = call("http://a.test/", Limits::none());
    let first = t.begin_attempt("192.0.2.1:80".into(), us(0));
    wait(&mut t, Phase::Connect, What::Connect(first), (0, 300_000), None);
    t.end_attempt(first, us(300_000), AttemptEnd::Failed("Connection refused".into()));
    connect(&mut t, "192.0.2.2:80", (300_000, 310_000), None);
    t.finish(us(310_000));
    let said = sentences("--address 0.1", &only(Limit::Address, ms(100)), &t);
    assert_eq!(said[1], "Other addresses were tried after it; the call would have gone on there.");
}

#[test]
fn a_deadline_in_a_folded_run_is_taken_in_proportion() {
    let mut t = call("http://a.test/", Limits::none());
    for piece in 0..400 {
        let at = piece * 2_000;
        wait(&mut t, Phase::Body, What::Read, (at, at + 1_000), None);
    }
    t.finish(us(800_000));
    let cut = t.under(&only(Limit::Total, ms(400)));
    let fold = cut.folds().last().unwrap();
    assert_eq!((cut.elapsed(), fold.waits), (ms(400), 194));
    assert!(cut.unaccounted().is_zero());
    let line = verdict(&cut).remove(0);
    assert_eq!(
        line,
        "total limit of 400 ms fired in read body x194 (fired at 400.00 ms, 0.00 late)"
    );
}
