//! The waits sorted by length: what took the time, the longest first.

use super::bar::Glyphs;
use super::lines::{Row, row_of};
use super::rows::{self, Entry};
use super::words::{self, cut, width};
use super::{Charset, Style, number, table};
use crate::timeline::Timeline;
use std::time::Duration;

/// Shorter ones are summed up below these.
const MOST_ROWS: usize = 20;

struct Item {
    took: Duration,
    value: String,
    share: String,
    row: Row,
}

pub(super) fn render(timeline: &Timeline, style: &Style) -> String {
    let glyphs = Glyphs::of(style);
    let room = style.width.clamp(table::LEAST_WIDTH, table::MOST_WIDTH);
    let mut items = items(timeline, glyphs);
    if style.charset == Charset::Ascii {
        for item in &mut items {
            item.row.label = words::to_ascii(&item.row.label, timeline).into_owned();
        }
    }
    let mut out = String::new();
    if items.is_empty() {
        table::push_line(&mut out, " No wait lasted 0.05 ms or longer.");
    } else {
        table_of(&mut out, &items, room, glyphs, style.color);
    }
    out.push('\n');
    words::wrap(&mut out, &table::sum(timeline), 1, 3, room);
    out
}

fn items(timeline: &Timeline, glyphs: &Glyphs) -> Vec<Item> {
    let entries = rows::entries(timeline);
    let waits = entries.rows.iter().filter(|entry| entry.numbers.is_some());
    let mut items: Vec<Item> = waits.map(|entry| wait(timeline, entry, glyphs)).collect();
    // The sort is stable: equals stay in the order of time.
    items.sort_by_key(|item| std::cmp::Reverse(item.took));
    let (mut count, mut rest) = entries.short;
    if items.len() > MOST_ROWS {
        let shorter = items.split_off(MOST_ROWS);
        count += shorter.len() as u64;
        rest += shorter.iter().map(|item| item.took).sum::<Duration>();
    }
    let own = timeline.local().saturating_sub(timeline.caller());
    let others = match count {
        1 => "1 shorter wait".to_owned(),
        count => format!("{} shorter waits", number::grouped(count.into())),
    };
    for (label, took) in
        [(others, rest), ("local work".to_owned(), own), ("caller".to_owned(), timeline.caller())]
    {
        if took >= number::SHORT {
            items.push(Item::new(timeline, took, Row::plain(label)));
        }
    }
    items
}

fn wait(timeline: &Timeline, entry: &Entry, glyphs: &Glyphs) -> Item {
    let mut row = row_of(timeline, entry, glyphs);
    let span = timeline.spans().get(entry.span);
    let fold = span.and_then(|span| timeline.fold_of(span));
    if fold.is_some() {
        row.label += &format!(", {}", row.value);
    }
    if timeline.hops().len() > 1 {
        row.label += &format!(", hop {}", u32::from(entry.hop) + 1);
    }
    Item::new(timeline, fold.map_or(entry.longest, |fold| fold.waited), row)
}

impl Item {
    fn new(timeline: &Timeline, took: Duration, row: Row) -> Item {
        let whole = timeline.elapsed();
        let share = if whole.is_zero() { 0 } else { number::percent(took, whole) };
        Item { took, value: number::brief(took), share: format!("{share}%"), row }
    }
}

fn table_of(out: &mut String, items: &[Item], room: usize, glyphs: &Glyphs, color: bool) {
    let widest = |of: &dyn Fn(&Item) -> usize, least| items.iter().map(of).fold(least, usize::max);
    let number = widest(&|item| width(&item.row.number), 2);
    let value = widest(&|item| width(&item.value), 5);
    let limit = widest(&|item| width(&item.row.limit_text()), 12).min(room / 3);
    let most = room.saturating_sub(number + value + limit + 2 + 2 + 5 + 2 + 3);
    let label = widest(&|item| width(&item.row.label), 8).min(most);
    table::push_line(
        out,
        &format!("{:>number$}  {:>value$}  share  {:label$}   of its limit", "#", "ms", "wait",),
    );
    for item in items {
        let text = cut(&item.row.label, label, glyphs.ellipsis);
        let gap = " ".repeat(label - width(&text) + 3);
        let (start, stop) = if color { table::sgr(&item.row) } else { ("", "") };
        let limit = item.row.limit_text();
        let limit = cut(&limit, room / 3, glyphs.ellipsis);
        let line = format!(
            "{:>number$}  {start}{:>value$}{stop}  {:>5}  {text}{gap}{start}{limit}{stop}",
            item.row.number, item.value, item.share,
        );
        table::push_line(out, &line);
    }
}
