//! What all commands but the request do first: read their arguments, and print their help.

use crate::exit::Exit;
use crate::output::print;
use clap::{ArgMatches, Command};
use std::ffi::OsString;

/// Reads what stands behind the command's word.
///
/// # Errors
/// The code to exit with: the help was printed, or the arguments cannot be used and that was said.
pub(crate) fn read(mut command: Command, arguments: &[OsString]) -> Result<ArgMatches, u8> {
    let name = OsString::from(command.get_name());
    let given = std::iter::once(&name).chain(arguments);
    let matches = command.clone().try_get_matches_from(given).map_err(|error| {
        let _ = error.print();
        u8::from(Exit::Usage)
    })?;
    // Not all of them tell the short one from the long one.
    let is_set = |name: &str| matches!(matches.try_get_one::<bool>(name), Ok(Some(true)));
    if is_set("h") || is_set("help") {
        return Err(print(&command.render_long_help().to_string()).into());
    }
    Ok(matches)
}
