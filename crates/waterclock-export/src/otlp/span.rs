//! Spans as protobuf's JSON has them.

use super::attributes::Attributes;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent_span_id: Option<String>,
    pub(super) name: String,
    pub(super) kind: u8,
    pub(super) start_time_unix_nano: String,
    pub(super) end_time_unix_nano: String,
    pub(super) attributes: Attributes,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<Event>,
    pub(super) status: Status,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) time_unix_nano: String,
    pub(super) name: &'static str,
    pub(super) attributes: Attributes,
}

/// 0, unset, or 2, an error.
#[derive(Default, Serialize)]
pub(super) struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

impl Status {
    pub(super) fn error(message: impl Into<String>) -> Self {
        Status { code: Some(2), message: Some(message.into()) }
    }
}

pub(super) const INTERNAL: u8 = 1;
pub(super) const CLIENT: u8 = 3;
