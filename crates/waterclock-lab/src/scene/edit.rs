//! Which known word was meant by a misspelled one.

/// The known word that is nearest to `word`, if it is near.
#[must_use]
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|candidate| (distance(word, candidate), *candidate));
    let (distance, candidate) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance < candidate.len()).then_some(candidate)
}

/// Letters to add, drop, change or swap with their neighbour (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    let cell = |rows: &[Vec<usize>], row: usize, column: usize| -> usize {
        rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or(usize::MAX - 1)
    };
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let changed = cell(&rows, i, j) + usize::from(a != b);
            let dropped = cell(&rows, i, j + 1) + 1;
            let added = row.last().copied().unwrap_or_default() + 1;
            let mut best = changed.min(dropped).min(added);
            let swapped =
                i > 0 && j > 0 && left.get(i - 1) == Some(b) && right.get(j - 1) == Some(a);
            if swapped {
                best = best.min(cell(&rows, i - 1, j - 1) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    cell(&rows, left.len(), right.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["wait", "head", "respond", "headers"];
        assert_eq!(nearest("wiat", &known), Some("wait"));
        assert_eq!(nearest("header", &known), Some("headers"));
        assert_eq!(nearest("responds", &known), Some("respond"));
        assert_eq!(nearest("cooking", &known), None);
        assert_eq!(nearest("x", &["y"]), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest("wait", &[]), None);
    }
}
