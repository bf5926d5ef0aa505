use super::*;

const MS: Duration = Duration::from_millis(1);
const A: &str = "192.0.2.1:80";
const B: &str = "192.0.2.2:80";
const C: &str = "192.0.2.3:80";
const V6: &str = "[2001:db8::1]:80";
const V6B: &str = "[2001:db8::2]:80";

fn at(millis: u32) -> Tick {
    Tick::ZERO.after(millis * MS)
}

fn id(index: usize) -> AttemptId {
    AttemptId(index)
}

fn race(addresses: &[&str], limit: Option<Duration>) -> Race {
    let addresses = addresses.iter().map(|address| address.parse().unwrap());
    Race::new(addresses, RaceSettings { address_limit: limit, ..RaceSettings::default() })
}

fn wait(millis: u32, due: Due) -> Step {
    Step::Wait { until: at(millis), due }
}

const FOREVER: Step = Step::Wait { until: Tick::NEVER, due: Due::Nothing };

fn order(addresses: &[&str]) -> Vec<String> {
    race(addresses, None).addresses().map(|address| address.to_string()).collect()
}

#[test]
fn no_addresses_are_lost_at_once() {
    let mut race = race(&[], Some(MS));
    assert_eq!(race.step(at(0)), Step::Lost);
    assert_eq!(race.last_end(), None);
    assert!(!race.all_expired());
}

#[test]
fn one_address_without_a_limit_waits_for_ever() {
    let mut race = race(&[A], None);
    assert_eq!(race.step(at(7)), Step::Start(id(0)));
    assert_eq!(race.step(at(7)), FOREVER);
    assert_eq!(race.step(Tick::NEVER), FOREVER);
}

#[test]
fn one_dead_and_one_good() {
    let mut race = race(&[A, B], None);
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    assert_eq!(race.step(at(0)), wait(250, Due::Start));
    assert_eq!(race.step(at(249)), wait(250, Due::Start));
    assert_eq!(race.step(at(250)), Step::Start(id(1)));
    assert_eq!(race.step(at(250)), FOREVER);
    race.won(id(1));
    assert_eq!(race.winner(), Some(id(1)));
    assert_eq!(race.running().collect::<Vec<_>>(), [id(0)]);
    assert_eq!(race.address(id(1)), B.parse().unwrap());
    assert_eq!(race.step(at(999)), FOREVER);
}

#[test]
fn a_refusal_starts_the_next_at_once() {
    let mut race = race(&[A, B], Some(1000 * MS));
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    race.failed(id(0), at(3));
    assert_eq!(race.step(at(3)), Step::Start(id(1)));
    assert_eq!(race.step(at(3)), wait(1003, Due::Expiry(id(1))));
    race.failed(id(1), at(5));
    assert_eq!(race.step(at(5)), Step::Lost);
    assert_eq!(race.last_end(), Some((id(1), End::Failed)));
    assert_eq!(race.last_expiry(), None);
}

#[test]
fn the_delay_counts_from_the_latest_start() {
    let mut race = race(&[A, B, C], None);
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    race.failed(id(0), at(100));
    assert_eq!(race.step(at(100)), Step::Start(id(1)));
    assert_eq!(race.step(at(100)), wait(350, Due::Start));
}

#[test]
fn three_dead_each_have_their_own_limit() {
    let mut race = race(&[A, B, C], Some(600 * MS));
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    assert_eq!(race.step(at(250)), Step::Start(id(1)));
    assert_eq!(race.step(at(500)), Step::Start(id(2)));
    assert_eq!(race.step(at(500)), wait(600, Due::Expiry(id(0))));
    assert_eq!(race.step(at(600)), Step::Expired(id(0)));
    assert_eq!(race.step(at(600)), wait(850, Due::Expiry(id(1))));
    assert_eq!(race.step(at(850)), Step::Expired(id(1)));
    assert!(!race.all_expired());
    assert_eq!(race.step(at(1100)), Step::Expired(id(2)));
    assert_eq!(race.step(at(1100)), Step::Lost);
    assert!(race.all_expired());
    assert_eq!(race.last_expiry(), Some((id(2), at(1100))));
    assert_eq!(race.last_end(), Some((id(2), End::Expired(at(1100)))));
}

#[test]
fn an_expiry_starts_the_next_at_once() {
    let mut race = race(&[A, B], Some(100 * MS));
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    assert_eq!(race.step(at(0)), wait(100, Due::Expiry(id(0))));
    assert_eq!(race.step(at(100)), Step::Expired(id(0)));
    assert_eq!(race.step(at(100)), Step::Start(id(1)));
    assert_eq!(race.step(at(100)), wait(200, Due::Expiry(id(1))));
}

#[test]
fn a_late_step_reports_the_instant_of_the_deadline() {
    let mut race = race(&[A, B], Some(100 * MS));
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    assert_eq!(race.step(at(180)), Step::Expired(id(0)));
    assert_eq!(race.end_of(id(0)), Some(End::Expired(at(100))));
    assert_eq!(race.step(at(180)), Step::Start(id(1)));
    assert_eq!(race.expires(id(1)), Some(at(280)));
}

#[test]
fn on_a_tie_the_expiry_is_named() {
    let mut race = race(&[A, B], Some(250 * MS));
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    assert_eq!(race.step(at(0)), wait(250, Due::Expiry(id(0))));
}

#[test]
fn refused_last_is_not_an_expiry() {
    let mut race = race(&[A, B], Some(300 * MS));
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    assert_eq!(race.step(at(250)), Step::Start(id(1)));
    assert_eq!(race.step(at(300)), Step::Expired(id(0)));
    race.failed(id(1), at(310));
    assert_eq!(race.step(at(310)), Step::Lost);
    assert_eq!(race.last_end(), Some((id(1), End::Failed)));
    assert_eq!(race.last_expiry(), Some((id(0), at(300))));
    assert!(!race.all_expired());
}

#[test]
fn dead_v6_gives_way_to_v4() {
    let mut race = race(&[V6, V6B, A, B], None);
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    assert!(race.address(id(0)).is_ipv6());
    assert_eq!(race.step(at(250)), Step::Start(id(1)));
    assert_eq!(race.address(id(1)), A.parse().unwrap());
    race.won(id(1));
    assert_eq!(race.started(), 2);
}

#[test]
fn families_alternate_and_keep_the_resolvers_order() {
    assert_eq!(order(&[V6, V6B, A, B, C]), [V6, A, V6B, B, C]);
    assert_eq!(order(&[A, B, V6]), [A, V6, B]);
    assert_eq!(order(&[A, B]), [A, B]);
}

#[test]
fn duplicates_are_tried_once() {
    assert_eq!(order(&[A, A, V6, B, A, V6]), [A, V6, B]);
    assert_eq!(order(&[A, "192.0.2.1:81"]), [A, "192.0.2.1:81"]);
}

#[test]
fn a_long_list_is_cut_and_keeps_both_families() {
    let v6 = (0..1000).map(|port| SocketAddr::from(([0; 16], port)));
    let v4 = (0..1000).map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let race = Race::new(v6.chain(v4), RaceSettings::default());
    assert_eq!(race.addresses().len(), Race::MAX_ADDRESSES);
    assert_eq!(race.addresses().filter(SocketAddr::is_ipv4).count(), Race::MAX_ADDRESSES / 2);
}

#[test]
fn a_zero_limit_expires_where_it_starts() {
    let mut race = race(&[A], Some(Duration::ZERO));
    assert_eq!(race.step(at(4)), Step::Start(id(0)));
    assert_eq!(race.step(at(4)), Step::Expired(id(0)));
    assert_eq!(race.step(at(4)), Step::Lost);
}

#[test]
fn a_zero_delay_starts_all_at_once() {
    let addresses = [A, B].map(|address| address.parse().unwrap());
    let settings = RaceSettings { delay: Duration::ZERO, address_limit: None };
    let mut race = Race::new(addresses, settings);
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    assert_eq!(race.step(at(0)), Step::Start(id(1)));
    assert_eq!(race.step(at(0)), FOREVER);
}

#[test]
fn late_reports_change_nothing() {
    let mut race = race(&[A, B], Some(100 * MS));
    assert_eq!(race.step(at(0)), Step::Start(id(0)));
    race.failed(id(1), at(0)); // not started
    assert_eq!(race.step(at(0)), wait(100, Due::Expiry(id(0))));
    assert_eq!(race.step(at(100)), Step::Expired(id(0)));
    race.won(id(0)); // too late
    race.failed(id(0), at(100));
    assert_eq!(race.winner(), None);
    assert_eq!(race.end_of(id(0)), Some(End::Expired(at(100))));
    assert_eq!(race.step(at(100)), Step::Start(id(1)));
    race.won(id(1));
    race.won(id(0));
    assert_eq!(race.winner(), Some(id(1)));
}

proptest::proptest! {
    /// However it goes, every attempt starts once and in order, starts are never early, and the
    /// race ends.
    #[test]
    fn every_race_ends(
        addresses in 0_usize..6,
        limit in 1_u32..700,
        answers in proptest::collection::vec((0_u32..400, 0_usize..6), 0..12),
    ) {
        let list = (0..addresses).map(|port| SocketAddr::from(([127, 0, 0, 1], port as u16)));
        let settings = RaceSettings { address_limit: Some(limit * MS), ..Default::default() };
        let mut race = Race::new(list, settings);
        let (mut now, mut next, mut answers) = (at(0), 0, answers.into_iter());
        loop {
            match race.step(now) {
                Step::Start(id) => {
                    assert_eq!(id.index(), next);
                    next += 1;
                }
                Step::Expired(id) => {
                    let Some(End::Expired(at)) = race.end_of(id) else { panic!("not expired") };
                    assert!(at <= now);
                }
                Step::Wait { until, .. } => {
                    assert!(until > now && !until.is_never());
                    now = match answers.next() {
                        Some((after, loser)) if now.after(after * MS) < until => {
                            now = now.after(after * MS);
                            race.failed(AttemptId(loser), now);
                            now
                        }
                        _ => until,
                    };
                }
                Step::Lost => break,
            }
        }
        assert_eq!(next, addresses);
        assert_eq!(race.step(now), Step::Lost);
        assert_eq!(race.running().count(), 0);
    }
}
