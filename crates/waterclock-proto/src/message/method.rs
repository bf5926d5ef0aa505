//! [`Method`]: what a request asks for (RFC 9110 §9).

use super::find_non_token;
use std::fmt;
use std::str::FromStr;

/// A request method. Names are case-sensitive (RFC 9110 §9.1): `get` is not `GET`.
///
/// ```
/// use waterclock_proto::message::Method;
///
/// let method: Method = "PURGE".parse()?;
/// assert_eq!(method.as_str(), "PURGE");
/// assert!(!method.is_idempotent());
/// assert_ne!("get".parse::<Method>()?, Method::Get);
/// assert!("GET /".parse::<Method>().is_err());
/// # Ok::<(), waterclock_proto::message::InvalidMethod>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `CONNECT`
    Connect,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `PATCH` (RFC 5789)
    Patch,
    /// Any other token.
    Other(Token),
}

/// A method name that is none of the standard ones, known to be an RFC 9110 token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token(Box<str>);

impl Token {
    /// The name as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Method {
    /// The name as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Connect => "CONNECT",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Patch => "PATCH",
            Method::Other(token) => token.as_str(),
        }
    }

    /// Whether the method is read-only for the server (RFC 9110 §9.2.1).
    #[must_use]
    pub const fn is_safe(&self) -> bool {
        matches!(self, Method::Get | Method::Head | Method::Options | Method::Trace)
    }

    /// Whether sending the request twice means the same as once (RFC 9110 §9.2.2). Only such
    /// requests may be repeated without being asked.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        self.is_safe() || matches!(self, Method::Put | Method::Delete)
    }

    /// Whether a request without content still says `Content-Length: 0`, because the method
    /// anticipates content (RFC 9110 §8.6).
    #[must_use]
    pub const fn anticipates_content(&self) -> bool {
        matches!(self, Method::Post | Method::Put | Method::Patch)
    }
}

impl FromStr for Method {
    type Err = InvalidMethod;

    fn from_str(name: &str) -> Result<Self, InvalidMethod> {
        Ok(match name {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            "CONNECT" => Method::Connect,
            "OPTIONS" => Method::Options,
            "TRACE" => Method::Trace,
            "PATCH" => Method::Patch,
            "" => return Err(InvalidMethod::Empty),
            other => match find_non_token(other.as_bytes()) {
                Some(offset) => {
                    return Err(InvalidMethod::Byte { byte: other.as_bytes()[offset], offset });
                }
                None => Method::Other(Token(other.into())),
            },
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is not a method: it must be an RFC 9110 token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidMethod {
    /// The method is empty.
    Empty,
    /// A byte that cannot stand in a method.
    Byte {
        /// The byte.
        byte: u8,
        /// Where it stands.
        offset: usize,
    },
}

impl fmt::Display for InvalidMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidMethod::Empty => f.write_str("the method is empty"),
            InvalidMethod::Byte { byte, offset } => {
                write!(f, "the method has '{}' at offset {offset}", byte.escape_ascii())
            }
        }
    }
}

impl std::error::Error for InvalidMethod {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "MKCOL",
        ] {
            assert_eq!(name.parse::<Method>().unwrap().as_str(), name);
        }
        assert!(matches!("PATCH".parse(), Ok(Method::Patch)));
        assert!(matches!("patch".parse(), Ok(Method::Other(_))));
    }

    #[test]
    fn only_tokens_are_methods() {
        assert_eq!("".parse::<Method>(), Err(InvalidMethod::Empty));
        let refused = "GET /\r\nX:".parse::<Method>().unwrap_err();
        assert_eq!(refused, InvalidMethod::Byte { byte: b' ', offset: 3 });
        let refused = "A\r\n".parse::<Method>().unwrap_err();
        assert_eq!(refused.to_string(), r"the method has '\r' at offset 1");
        assert!("GÉT".parse::<Method>().is_err());
    }

    #[test]
    fn safe_and_idempotent_as_rfc_9110_lists_them() {
        let of = |name: &str| {
            let method: Method = name.parse().unwrap();
            (method.is_safe(), method.is_idempotent())
        };
        for name in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            assert_eq!(of(name), (true, true), "{name}");
        }
        for name in ["PUT", "DELETE"] {
            assert_eq!(of(name), (false, true), "{name}");
        }
        for name in ["POST", "PATCH", "CONNECT", "get"] {
            assert_eq!(of(name), (false, false), "{name}");
        }
    }
}
