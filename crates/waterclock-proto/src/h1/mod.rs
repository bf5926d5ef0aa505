//! HTTP/1.1 on the wire (RFC 9112), without I/O.
//!
//! - [`write_head`], [`plan_body`], [`write_chunk`]: a request becomes bytes.
//! - [`ResponseReader`]: bytes become interim responses and one final head.
//! - [`BodyReader`]: finds the content between the framing, in place.
//! - [`keep_alive`]: may the connection be used again, and if not, why.
//! - [`ProtocolError`]: what the peer did wrong, and where.
//!
//! What is read depends on the bytes only, never on how the network cut them into pieces.
//!
//! # Doubtful cases
//!
//! RFC 9112 leaves a client some room. This is where we stand:
//!
//! | received | policy | RFC 9112 |
//! |---|---|---|
//! | first bytes that cannot become `HTTP/1.0 ddd` or `HTTP/1.1 ddd` (HTTP/0.9, ICY, banners, TLS alerts, HTTP/1.2) | refused at once, not when a limit fires | §2.3, §4 |
//! | status below 100 | refused | §4 |
//! | status 600 to 999 | accepted, means 5xx | RFC 9110 §15 |
//! | one empty line before a status line | skipped, since some servers end a body with a stray CRLF; a second one is refused | §2.2, §9.2 |
//! | no reason phrase, with or without its space | accepted | §4 |
//! | LF as line end in a head | accepted (MAY) | §2.2 |
//! | LF as line end in a chunk line or trailer section | refused | §7.1 |
//! | CR without LF, NUL or another control byte in a head | refused at once | §2.2, RFC 9110 §5.5 |
//! | folded field line (obs-fold) in a head | unfolded to spaces | §5.2 |
//! | folded field line in a trailer section | refused | §5.2 |
//! | white space before the colon, or before the first field | refused | §5.1, §2.2 |
//! | Content-Length and Transfer-Encoding together | refused | §6.3 rule 3 |
//! | Content-Length lists or repeats | accepted if all are equal | §6.3 rule 5 |
//! | Content-Length that is not `1*DIGIT` below 2^64 | refused | §6.3 rule 5 |
//! | Transfer-Encoding other than exactly `chunked`: we never offer another coding in `TE` | refused | §6.3 rule 4, §7.4 |
//! | HTTP/1.0 with Transfer-Encoding | decoded; the connection is not kept | §6.1 |
//! | framing fields on a response that has no body (HEAD, 204, 304, 1xx) | ignored; contradictory ones end the connection | §6.3 rule 1 |
//! | framing fields on a 2xx to CONNECT | ignored | §6.3 rule 2 |
//! | 101 | final, whoever asked; the connection is never kept | RFC 9110 §15.2.2 |
//! | white space after a chunk size | accepted | §7.1.1 (BWS) |
//! | sign, prefix, underscore or leading space in a chunk size; 2^64 and more | refused | §7.1 |
//! | chunk extensions | skipped, within [`Caps::chunk_extensions`] | §7.1.1 |
//! | end of input after the last chunk's line, before the final CRLF | the body is complete | §8 |
//! | end of input inside a trailer field | incomplete | §8 |
//! | trailer fields | kept apart from the header fields | RFC 9110 §6.5.1 |
//! | `Connection: keep-alive` from an HTTP/1.0 server | honoured | §9.3 |

mod body;
mod caps;
mod chunked;
mod encode;
mod error;
mod framing;
mod keep_alive;
mod parse;
mod reader;
mod scan;

pub use body::{BodyReader, BodyState, BodyStep};
pub use caps::Caps;
pub use encode::{
    BodyLength, Digits, FramingField, InvalidRequest, RequestFraming, plan_body, write_chunk,
    write_head, write_last_chunk,
};
pub use error::{FaultKind, LineFault, ProtocolError};
pub use framing::Framing;
pub use keep_alive::{CloseReason, keep_alive};
pub use reader::{HeadStep, ResponseReader};

#[cfg(test)]
mod tests;
