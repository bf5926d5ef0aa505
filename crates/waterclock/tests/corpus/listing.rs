//! How many cases there are, and what they are called.

use crate::read;
use std::collections::{BTreeMap, BTreeSet};

const LEAST: usize = 1_500;

#[test]
fn there_are_enough_cases_with_a_name_of_their_own() {
    let cases = read::all();
    let (mut kinds, mut files) = (BTreeMap::new(), BTreeMap::new());
    let (mut names, mut inputs) = (BTreeSet::new(), BTreeSet::new());
    for case in &cases {
        let at = format!("{}:{}: {}", case.file, case.line, case.name);
        assert!(names.insert((case.file.clone(), case.name.clone())), "{at}: said before");
        let input = (case.method.to_string(), &case.send, case.then as u8, case.follow);
        let caps = [case.caps.body, case.caps.decoded, case.caps.ratio.map(u64::from)];
        assert!(inputs.insert((input, caps)), "{at}: the same as another");
        *kinds.entry(case.kind()).or_insert(0) += 1;
        *files.entry(case.file.clone()).or_insert(0) += 1;
    }
    println!("{} cases\nby kind: {kinds:?}\nby file: {files:?}", cases.len());
    assert!(cases.len() >= LEAST, "{} cases, {LEAST} are promised", cases.len());
}
