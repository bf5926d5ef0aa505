//! A run document: whatever it says, it is read or refused in a line; what was read is written as a
//! document that reads the same, and redacted it has no value of a secret field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waterclock::run::{Run, Secrets};
use waterclock::screen::{self, Style};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let run = match Run::from_json(text) {
        Ok(run) => run,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error}");
            return;
        }
    };
    for secrets in [Secrets::Shown, Secrets::Redacted] {
        let written = run.to_json(secrets);
        let again = Run::from_json(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(again.to_json(secrets), written);
        if secrets == Secrets::Shown {
            // Microseconds of the calendar are written.
            let rounded = Run { started_at: again.started_at, ..run.clone() };
            assert_eq!(format!("{again:?}"), format!("{rounded:?}"));
        }
    }
    // What is shown of it has no control bytes of others in it.
    if let Some(timeline) = &run.timeline {
        let shown = screen::screen(&[], timeline, &Style::default());
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    }
});
