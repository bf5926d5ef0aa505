//! `--write-out`: a line of the user's own about a call, with curl's variables and in curl's form.
//!
//! What makes no sense here is left out, and is an unknown variable: `certs`, `num_certs`,
//! `filename_effective`, `ftp_entry_path`, `http_connect`, `proxy_ssl_verify_result`, `referer`, `urlnum`,
//! `xfer_id`, `conn_id`; and what a run document does not hold: `size_header`, `size_request`, `size_upload`,
//! `speed_upload`. `%output{FILE}` is a file less than `--save`, and no variable either.

mod marks;
mod template;
mod value;
mod variable;

pub(crate) use template::Template;

use crate::output::{cannot_write, complain, tell};
use std::io::{self, Read, Write};
use waterclock::run::{ErrorRecord, Run};

/// Reads the option: a format, or `@FILE` with one, in which line ends are nothing, as in curl.
///
/// # Errors
/// In words, if the file cannot be read.
pub(crate) fn read(text: &str) -> Result<Template, String> {
    let Some(path) = text.strip_prefix('@') else { return Ok(Template::parse(text)) };
    let content = match path {
        "-" => {
            let mut content = String::new();
            io::stdin().lock().read_to_string(&mut content).map(|_| content)
        }
        path => std::fs::read_to_string(path),
    };
    let content = content
        .map_err(|error| format!("cannot read --write-out @{}: {error}", path.escape_debug()))?;
    Ok(Template::parse(&content.replace(['\r', '\n'], "")))
}

/// What a template comes to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Written {
    /// For standard output.
    pub(crate) out: String,
    /// For standard error, from `%{stderr}` on.
    pub(crate) err: String,
    /// Variables that there are not.
    pub(crate) unknown: Vec<String>,
}

impl Written {
    /// Names the variables that there are not.
    pub(crate) fn complain(&self) {
        for name in &self.unknown {
            let name = name.escape_debug();
            tell(&format!("waterclock: unknown --write-out variable: '{name}'\n"));
        }
    }
}

/// A run and the code that the program ends with.
#[derive(Clone, Copy)]
pub(crate) struct Told<'r> {
    run: &'r Run,
    exit_code: u8,
}

/// Fills in a template.
pub(crate) fn render(template: &Template, run: &Run, exit_code: u8) -> Written {
    template.fill(&Told { run, exit_code })
}

/// The code that a saved run ended with.
pub(crate) fn exit_code(error: Option<&ErrorRecord>) -> u8 {
    error.map_or(0, |error| crate::exit::of_name(&error.kind))
}

/// Writes it to where it goes, and says whether that could be done.
pub(crate) fn write(written: &Written, quiet: u8) -> bool {
    if quiet < 2 {
        written.complain();
    }
    tell(&written.err);
    let result = crate::body::stdout().and_then(|mut out| out.write_all(written.out.as_bytes()));
    if let Err(error) = &result
        && quiet < 2
    {
        complain(&cannot_write("standard output", error));
    }
    result.is_ok()
}

#[cfg(test)]
mod tests;
