//! hyper's connection, without a pool, on a runtime of one thread.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Frame, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use crate::client::{Body, Client, PIECE, Request, Result, Setup, Sink};

type Sent = Either<Full<Bytes>, Zeros>;

struct Hyper {
    runtime: Runtime,
    setup: Setup,
    sender: Option<SendRequest<Sent>>,
}

pub fn make(setup: &Setup) -> Result<Box<dyn Client>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(Box::new(Hyper { runtime, setup: setup.clone(), sender: None }))
}

impl Client for Hyper {
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16> {
        let kept = self.sender.take();
        let total = self.setup.total;
        let (status, sender) =
            self.runtime.block_on(async { timeout(total, call(kept, request, sink)).await? })?;
        self.sender = self.setup.keep_alive.then_some(sender);
        Ok(status)
    }

    /// A connection a thread, as there is no pool.
    fn share(&self) -> Option<Box<dyn Client>> {
        make(&self.setup).ok()
    }
}

async fn call(
    kept: Option<SendRequest<Sent>>,
    request: &Request,
    sink: &mut Sink,
) -> Result<(u16, SendRequest<Sent>)> {
    let uri: Uri = request.url.parse()?;
    let authority = uri.authority().ok_or("no host")?.as_str();
    let mut sender = match kept {
        Some(sender) => sender,
        None => connect(authority).await?,
    };
    let builder = hyper::Request::builder()
        .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority)
        .header(header::ACCEPT, "*/*");
    let request_of_hyper = match request.body {
        Body::None => builder.body(Either::Left(Full::default()))?,
        Body::Json(bytes) => builder
            .method(Method::POST)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Either::Left(Full::from(bytes)))?,
        Body::Upload(length) => {
            builder.method(Method::POST).body(Either::Right(Zeros::new(length)))?
        }
    };
    sender.ready().await?;
    let mut response = sender.send_request(request_of_hyper).await?;
    let status = response.status().as_u16();
    if request.streamed {
        while let Some(frame) = response.body_mut().frame().await {
            sink.take(frame?.data_ref().map_or(&[], |data| data));
        }
    } else {
        sink.take(&response.into_body().collect().await?.to_bytes());
    }
    Ok((status, sender))
}

async fn connect(authority: &str) -> Result<SendRequest<Sent>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// So many zeros, from one buffer.
pub(crate) struct Zeros {
    piece: Bytes,
    left: u64,
}

impl Zeros {
    pub(crate) fn new(length: u64) -> Self {
        Zeros { piece: vec![0; PIECE].into(), left: length }
    }
}

impl hyper::body::Body for Zeros {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Self::Error>>> {
        let count = self.left.min(PIECE as u64);
        self.left -= count;
        let piece = self.piece.slice(..count as usize);
        Poll::Ready((count > 0).then(|| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}
