//! Tests of the choice of a proxy.

mod no_proxy;
mod proxy_url;
mod rules;

use super::*;
use ::url::Url;
use proptest::prelude::*;
use std::collections::HashSet;

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn proxy(text: &str) -> ProxyUrl {
    ProxyUrl::parse(text).unwrap()
}

fn fault(text: &str) -> ProxyFault {
    ProxyUrl::parse(text).unwrap_err().fault()
}
