//! OTLP/JSON: an `ExportTraceServiceRequest` as OpenTelemetry's collectors take it by HTTP.
//!
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>: identifiers are hexadecimal, 64-bit
//! integers strings, enumerations numbers.

mod attributes;
mod ids;
mod span;

use crate::number::document;
use crate::phases::hops;
use attributes::Attributes;
use ids::Ids;
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
    let mut ids = Ids::of(run);
    let views = run.timeline.as_ref().map(hops).unwrap_or_default();
    let mut spans = Vec::new();
    // A pause for a retry is beside the hop, not in it.
    let one =
        views.len() == 1 && !views.iter().any(|hop| hop.exchange().count() < hop.spans().count());
    let root = (!one).then(|| span::call(run, &mut ids));
    let parent = root.as_ref().map(|root| root.span_id.clone());
    spans.extend(root);
    for hop in views {
        span::hop(run, hop, secrets, parent.as_deref(), &mut ids, &mut spans);
    }
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
