//! Authentication: Basic, Bearer and Digest credentials, and the challenges that ask for them
//! (RFC 9110 §11, RFC 7617, RFC 6750, RFC 7616).
//!
//! - [`basic`], [`basic_latin1`], [`bearer`]: credentials that need no challenge.
//! - [`Challenge`]: what `WWW-Authenticate` and `Proxy-Authenticate` ask for.
//! - [`Digest`]: answers a challenge without sending the password, and goes on using its nonce.
//!
//! Everything works for an origin server and for a proxy alike: only the names of the fields
//! differ (`WWW-Authenticate`, `Authorization`, `Authentication-Info`; with `Proxy-` before them).
//! To whom credentials may go is decided by the caller, before anything here is asked.

mod basic;
mod challenge;
mod digest;

pub use basic::{CredentialPart, InvalidCredentials, basic, basic_latin1, bearer};
pub use challenge::Challenge;
pub use digest::{Digest, DigestError, GiveUp, Verdict};
