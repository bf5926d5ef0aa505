//! What goes over the sockets, recorded if somebody asks for it.

use crate::args::Options;
use crate::exports;
use waterclock::capture::Capture;
use waterclock_export::Keys;

/// What records the call, if its options ask for that.
///
/// # Errors
/// In words, if there is no place for what they ask for.
pub(crate) fn capture(options: &Options) -> Result<Option<Capture>, String> {
    let wanted = &options.exports;
    if options.capture && options.save.is_none() && !options.json {
        return Err("--capture puts it into the run document; add --save FILE or --json".to_owned());
    }
    let records = wanted.has_packets() || options.capture;
    Ok(match wanted.keys {
        Keys::Included if !records => {
            return Err(format!("{}, or with --capture", exports::NO_PACKETS));
        }
        Keys::Included => Some(Capture::new().with_keys()),
        Keys::LeftOut => records.then(Capture::new),
    })
}
