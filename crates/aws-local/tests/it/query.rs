//! Requests in the query protocol, and what is in the XML that comes back.

use crate::client::{Local, REGION};

/// A request in the query protocol, signed by `key` for `region`; gives the status and the XML.
pub(crate) async fn query(local: &Local, key: &str, form: &str) -> (u16, String) {
    let mut request = local.http.post(&local.url).body(form.to_owned());
    if !key.is_empty() {
        let scope =
            format!("AWS4-HMAC-SHA256 Credential={key}/20240101/{REGION}/sts/aws4_request, Signature=x");
        request = request.header("authorization", scope);
    }
    let response = request
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/xml");
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The text of the first element of that name.
pub(crate) fn element<'x>(xml: &'x str, name: &str) -> &'x str {
    let after = xml.split_once(&format!("<{name}>")).map(|(_, after)| after);
    after
        .and_then(|after| after.split_once('<'))
        .map_or("", |(text, _)| text)
}

/// A value of a form, percent-encoded as RFC 3986 has it.
pub(crate) fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}
