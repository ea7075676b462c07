//! What the server says when it refuses, in all the forms in which it says it.

use crate::recorded::{ENCODINGS, fixture};
use sickbay::wire::{Cause, Encoding, Status};

/// The status of this name, which must be the same in both encodings.
fn recorded(name: &str) -> Status {
    let [json, protobuf] = ENCODINGS.map(|encoding| {
        let content_type = match encoding {
            Encoding::Json => "application/json",
            Encoding::Protobuf => "application/vnd.kubernetes.protobuf",
        };
        Status::read(599, content_type, &fixture(name, encoding))
    });
    // Each was a request of its own: the versions that they name differ.
    let message = |status: &Status| status.message.split(", current").next().map(str::to_owned);
    assert_eq!(message(&json), message(&protobuf));
    assert_eq!(Status { message: json.message.clone(), ..protobuf }, json);
    json
}

#[test]
fn a_budget_that_is_spent_is_told_from_a_server_that_is_busy() {
    let status = recorded("status-budget");
    assert_eq!((status.code, status.reason.as_str()), (429, "TooManyRequests"));
    assert_eq!(
        status.causes,
        [Cause {
            reason: "DisruptionBudget".into(),
            message: "The disruption budget postgres needs 2 healthy pods and has 2 currently".into(),
            field: "".into(),
        }]
    );
}

#[test]
fn an_expired_list_brings_the_token_to_go_on_with() {
    let status = recorded("status-expired");
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
    assert!(status.continue_token.is_some_and(|token| token.starts_with("eyJ2IjoibWV0YS5rOHMuaW8vdjEi")));
}

#[test]
fn a_refusal_names_who_may_not_do_what() {
    let status = recorded("status-forbidden");
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert_eq!(
        status.message.as_str(),
        "nodes is forbidden: User \"namespaced\" cannot list resource \"nodes\" in API group \"\" \
         at the cluster scope"
    );
    assert_eq!(recorded("status-not-found").code, 404);
}

#[test]
fn a_server_that_lags_says_when_to_ask_again() {
    let status = recorded("status-too-large");
    assert_eq!((status.code, status.retry_after_seconds), (504, Some(1)));
    assert_eq!(status.causes[0].reason.as_str(), "ResourceVersionTooLarge");
}

#[test]
fn a_body_that_is_no_status_becomes_one_line() {
    let read = |content_type, body: &str| Status::read(502, content_type, body.as_bytes());
    let page = "<html><head><title>502 Bad\nGateway</title></head>\r\n<body><h1>proxy-7</h1></body></html>";
    assert_eq!(read("text/html", page).message.as_str(), "502 Bad Gateway proxy-7");
    assert_eq!(
        read("text/plain; charset=utf-8", "404 page not found\n").message.as_str(),
        "404 page not found"
    );
    assert_eq!(read("application/json", "not < json").message.as_str(), "not < json");
    assert_eq!(read("", "").message.as_str(), "the server answered 502 and no reason");
    assert_eq!(read("", "").code, 502);
    let long = read("text/plain", &"word ".repeat(100_000)).message;
    assert_eq!((long.chars().count(), long.chars().last()), (301, Some('…')));
}

#[test]
fn a_status_of_no_code_has_that_of_the_answer() {
    let status = Status::read(403, "application/json", br#"{"kind":"Status","reason":"Forbidden"}"#);
    assert_eq!(status.code, 403);
    assert_eq!(status.message.as_str(), "the server answered 403 (Forbidden) and no more");
}
