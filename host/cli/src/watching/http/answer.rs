//! What is answered to a request.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::access::{Access, Admission, parameter};
use crate::watching::metrics;
use crate::watching::sampler::Sampler;

type Answer = Response<Full<Bytes>>;

/// The page may load what comes from here, run the scripts that come from here, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Files of the page, with their types.
const FILES: [(&str, &str, &str); 7] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("../page/page.html"),
    ),
    (
        "/page.css",
        "text/css; charset=utf-8",
        include_str!("../page/page.css"),
    ),
    ("/page.js", SCRIPT, include_str!("../page/page.js")),
    ("/format.js", SCRIPT, include_str!("../page/format.js")),
    ("/picture.js", SCRIPT, include_str!("../page/picture.js")),
    ("/tables.js", SCRIPT, include_str!("../page/tables.js")),
    (
        "/icon.svg",
        "image/svg+xml",
        include_str!("../page/icon.svg"),
    ),
];

pub(super) fn to(request: &Request<Incoming>, access: &Access, sampler: &Sampler) -> Answer {
    match access.admit(request.uri(), request.headers()) {
        Admission::Refused(status, why) => answer(status, TEXT, why),
        _ if request.method() != Method::GET && request.method() != Method::HEAD => {
            let mut refused = answer(StatusCode::METHOD_NOT_ALLOWED, TEXT, "Only GET and HEAD.\n");
            refused
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            refused
        }
        Admission::ByLink => remember(request, access),
        Admission::Admitted => content(request, sampler),
    }
}

/// Keeps the token as a cookie, and the address without it.
fn remember(request: &Request<Incoming>, access: &Access) -> Answer {
    let mut moved = answer(StatusCode::SEE_OTHER, TEXT, "");
    let headers = moved.headers_mut();
    if let Ok(cookie) = HeaderValue::from_str(&access.cookie()) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    // A path by itself stays on this host, whatever it says: it has one slash in front.
    let path = format!("/{}", request.uri().path().trim_start_matches('/'));
    if let Ok(path) = HeaderValue::from_str(&path) {
        headers.insert(header::LOCATION, path);
    }
    moved
}

fn content(request: &Request<Incoming>, sampler: &Sampler) -> Answer {
    let uri = request.uri();
    let each = parameter(uri, "each") == Some("1");
    let look = |json: Option<String>| match json {
        Some(json) => answer(StatusCode::OK, JSON, json),
        None => answer(
            StatusCode::SERVICE_UNAVAILABLE,
            TEXT,
            "Nothing has been seen yet.\n",
        ),
    };
    match uri.path() {
        "/api/now" => look(sampler.now_json(each)),
        "/api/then" => match parameter(uri, "at").and_then(|at| at.parse().ok()) {
            Some(at) => look(sampler.then_json(at, each)),
            None => answer(
                StatusCode::BAD_REQUEST,
                TEXT,
                "`at` is a number of milliseconds.\n",
            ),
        },
        "/api/history" => answer(StatusCode::OK, JSON, sampler.summaries_json()),
        "/metrics" => match sampler.last() {
            Some(seen) => answer(StatusCode::OK, metrics::TYPE, metrics::text(&seen)),
            None => look(None),
        },
        path => match FILES.iter().find(|(name, ..)| *name == path) {
            Some((_, kind, text)) => answer(StatusCode::OK, kind, *text),
            None => answer(StatusCode::NOT_FOUND, TEXT, "There is no such page.\n"),
        },
    }
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    answer
}
