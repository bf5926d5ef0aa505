//! TLS handshakes: with the origin, or with the proxy on the way to it.

use crate::call::Call;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::stream::{Stream, StreamError};
use crate::tls::{TlsConfig, TlsError, TlsInfo, TlsSession};
use crate::world::Interest;
use waterclock_proto::limit::Limit;
use waterclock_proto::proxy::ProxyUrl;
use waterclock_proto::timeline::{Phase, What};

/// With whom hands are shaken.
#[derive(Clone, Copy, Debug)]
pub(super) enum With<'a> {
    /// The origin, as its certificate names it.
    Origin(&'a str),
    Proxy(&'a ProxyUrl),
}

/// Puts TLS on the stream. Every wait is bounded by `tls`, which is armed once: bytes that trickle in
/// gain nothing.
pub(super) fn handshake(
    call: &mut Call,
    stream: &mut Stream,
    config: &TlsConfig,
    with: With<'_>,
) -> Outcome<Option<TlsInfo>> {
    let now = call.now();
    call.arm(Limit::Tls, now);
    let host = match with {
        With::Origin(name) => name,
        With::Proxy(proxy) => proxy.host(),
    };
    stream.start_tls(TlsSession::new(config, host).map_err(|error| with.failed(error))?);
    // A peer that is quick enough is never waited for, and the failure is one of TLS all the same.
    complete(call, stream, with).map_err(|mut failure| {
        failure.during = Some(Phase::Tls);
        failure
    })?;
    call.disarm(&[Limit::Tls]);
    Ok(stream.tls().and_then(TlsSession::info))
}

fn complete(call: &mut Call, stream: &mut Stream, with: With<'_>) -> Outcome<()> {
    loop {
        match stream.handshake() {
            Ok(()) => return Ok(()),
            Err(StreamError::WouldBlock) => {}
            Err(StreamError::Tls(error)) => return Err(with.failed(error)),
            Err(StreamError::Io(error)) => {
                let context = match with {
                    With::Origin(_) => "the TLS handshake failed".to_owned(),
                    With::Proxy(proxy) => format!("the TLS handshake with {proxy} failed"),
                };
                return Err(Failure::from_error(ErrorKind::Tls, context, error));
            }
        }
        let source = stream.source();
        if !stream.tls().is_some_and(TlsSession::is_handshaking) {
            // Nothing is read any more: what is there belongs to the exchange.
            call.wait(Phase::Tls, What::Write, &mut [Interest::write(source)])?;
            continue;
        }
        let (what, interest) = match stream.wants_write() {
            true => (What::Write, Interest::both(source)),
            false => (What::Read, Interest::read(source)),
        };
        call.wait_for(Phase::Tls, what, stream, interest)?;
    }
}

impl With<'_> {
    /// The failure that says whose TLS it was.
    fn failed(self, error: TlsError) -> Box<Failure> {
        let With::Proxy(proxy) = self else { return error.into() };
        let context = match error {
            TlsError::Certificate(_) => format!("the proxy's certificate ({proxy}) is refused"),
            TlsError::Handshake(_) => format!("the TLS handshake with the proxy {proxy} failed"),
            TlsError::Settings(_) => format!("TLS with the proxy {proxy} is not possible"),
        };
        let kind = Box::<Failure>::from(error.clone()).kind;
        Failure::from_error(kind, context, error)
    }
}
