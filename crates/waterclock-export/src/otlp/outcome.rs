//! How calls and hops came out, in the conventions' words.

use super::span::Status;
use crate::phases::HopView;
use waterclock::run::{ErrorRecord, Run};

/// A failure: its `error.type` of low cardinality, and the status. That the caller cancelled is none.
pub(super) fn call(error: Option<&ErrorRecord>) -> (Option<String>, Status) {
    match error.filter(|error| error.kind != "cancelled") {
        Some(error) => (Some(error.kind.to_string()), Status::error(&error.message)),
        None => (None, Status::default()),
    }
}

/// Of a hop; one that failed and was tried again has no error of its own.
pub(super) fn hop(run: &Run, hop: HopView<'_>) -> (Option<String>, Status) {
    let error = run.error.as_ref().filter(|error| hop.is_last() && error.kind != "status");
    if error.is_some() {
        return call(error);
    }
    if let Some(failure) = hop.failure() {
        let kind = if hop.expired().is_some() { "timeout" } else { "_OTHER" };
        return (Some(kind.to_owned()), Status::error(failure));
    }
    // To a client, a status of 400 and above is an error; it needs no words.
    match hop.hop.status.filter(|&status| status >= 400) {
        Some(status) => (Some(status.to_string()), Status { code: Some(2), message: None }),
        None => (None, Status::default()),
    }
}
