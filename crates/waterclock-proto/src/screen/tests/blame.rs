//! The waits by length, as exact text.

use super::*;

#[test]
fn the_longest_wait_comes_first() {
    assert_eq!(
        blame(&seed(requests_limits()), &unicode()),
        " #     ms  share  wait               of its limit
 5  100.5    31%  read headers        84% of 120
 3   90.2    28%  tls read 1          76% of 120
 1   80.1    25%  dns google.co.kr   no limit
 2   30.4     9%  tcp 142.250.0.94    25% of 120
 4   18.9     6%  tls read 2          93% of 120
      3.1     1%  local work

 323.2 ms = 320.1 waiting + 3.1 local work + 0.0 unaccounted
"
    );
}

#[test]
fn it_stands_in_the_waterfalls_place() {
    let head = [HEAD.to_owned()];
    let text = screen_of(&head, Table::Blame, &seed(requests_limits()), &unicode());
    assert!(text.starts_with(&format!("{HEAD}\n\n #     ms  share  wait ")), "{text}");
    assert!(text.contains("\n\n Why did timeout=0.12 not fire?\n"), "{text}");
}

/// 400 reads of a body, folded in the middle, in the second of two hops.
fn long_body() -> Timeline {
    let mut t = call("http://a.test/", Limits::per_wait(ms(120)));
    wait(&mut t, Phase::FirstByte, What::Read, (0, 30_000), Some((0, Limit::Read)));
    let mut second = hop("GET", "http://a.test/b", us(30_000));
    second.reason = HopReason::Redirect;
    t.begin_hop(second);
    for piece in 0..400 {
        let at = 30_000 + piece * 2_000;
        let long = if piece == 200 { 1_900 } else { 1_000 };
        wait(&mut t, Phase::Body, What::Read, (at, at + long), Some((at, Limit::Read)));
    }
    t.finish(us(830_000));
    t
}

#[test]
fn a_folded_run_counts_as_one_and_the_rest_is_summed_up() {
    assert_eq!(
        blame(&long_body(), &ascii()),
        "    #     ms  share  wait                             of its limit
8-398  391.9    47%  read body x391, max 1.9, hop 2     2% of 120
    1   30.0     4%  read headers, hop 1               25% of 120
    2    1.0     0%  read body 1, hop 2                 1% of 120
    3    1.0     0%  read body 2, hop 2                 1% of 120
    4    1.0     0%  read body 3, hop 2                 1% of 120
    5    1.0     0%  read body 4, hop 2                 1% of 120
    6    1.0     0%  read body 5, hop 2                 1% of 120
    7    1.0     0%  read body 6, hop 2                 1% of 120
  399    1.0     0%  read body 398, hop 2               1% of 120
  400    1.0     0%  read body 399, hop 2               1% of 120
  401    1.0     0%  read body 400, hop 2               1% of 120
       399.1    48%  local work

 830.0 ms = 430.9 waiting + 399.1 local work + 0.0 unaccounted
"
    );
}

#[test]
fn there_may_be_nothing_to_blame() {
    assert_eq!(
        blame(&call("http://a/", Limits::none()), &unicode()),
        " No wait lasted 0.05 ms or longer.

 0.0 ms so far = 0.0 waiting + 0.0 local work + 0.0 unaccounted
"
    );
}

#[test]
fn colour_says_what_the_percentage_says() {
    let color = Style { color: true, ..Style::default() };
    let painted = blame(&seed(requests_limits()), &color);
    assert!(painted.contains("\x1b[31m 93% of 120\x1b[0m"), "{painted}");
    let plain = ["\x1b[31m", "\x1b[33m", "\x1b[0m"];
    let plain = plain.iter().fold(painted, |text, sgr| text.replace(sgr, ""));
    assert_eq!(plain, blame(&seed(requests_limits()), &unicode()));
}
