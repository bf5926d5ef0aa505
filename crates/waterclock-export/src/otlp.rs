//! OTLP/JSON: an `ExportTraceServiceRequest` as OpenTelemetry's collectors take it by HTTP.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>: identifiers are hexadecimal, 64-bit
//! integers strings, enumerations numbers.

mod attributes;
mod ids;
mod maker;
mod outcome;
mod span;
mod url;

use crate::number::document;
use crate::phases::hops;
use attributes::Attributes;
use maker::Maker;
use serde::Serialize;
use span::Span;
use waterclock::run::{Run, Secrets};

/// The run as spans: a CLIENT span for each hop, under an INTERNAL one for the call if there are
/// several, with a child for each phase that sets a connection up.
///
/// Names and attributes are those of OpenTelemetry's semantic conventions for HTTP clients, names of
/// the children those of .NET. Its identifiers are the SHA-256 of the run document without secrets, so
/// the same run has the same ones. With [`Secrets::Redacted`] the signatures of presigned URLs are
/// `REDACTED`, as the conventions list them.
#[must_use]
pub fn otlp(run: &Run, secrets: Secrets) -> String {
    request(spans(run, secrets))
}

/// The calls of a program, each a trace of its own.
pub(crate) fn program(runs: &[Run], secrets: Secrets) -> String {
    request(runs.iter().flat_map(|run| spans(run, secrets)).collect())
}

fn spans(run: &Run, secrets: Secrets) -> Vec<Span> {
    let views = run.timeline.as_ref().map(hops).unwrap_or_default();
    let mut maker = Maker::new(run, secrets);
    // A pause for a retry is beside the hop, not in it.
    let paused = views.iter().any(|hop| hop.exchange().count() < hop.spans().count());
    if views.len() != 1 || paused {
        maker.call();
    }
    views.into_iter().for_each(|hop| maker.hop(hop));
    maker.spans()
}

fn request(spans: Vec<Span>) -> String {
    document(&Request {
        resource_spans: [ResourceSpans {
            resource: Resource {
                attributes: Attributes::default().text("service.name", crate::NAME),
            },
            scope_spans: [ScopeSpans {
                scope: Scope { name: crate::NAME, version: crate::VERSION },
                spans,
            }],
        }],
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_spans: [ResourceSpans; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: [ScopeSpans; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: Attributes,
}

#[derive(Serialize)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}
