//! Requests as data: who asks for what, and what has to come back.

use serde_json::Value;

use crate::client::{Local, REGION};

/// One request: the access key, `Service.Operation`, the body, and what is expected: an error's name, with `: ` and its
/// message where that matters, or `ok` and JSON of which every member must be in the answer (a list must have just
/// those items).
pub(crate) type Step<'a> = (&'a str, &'a str, &'a str, &'a str);

impl Local {
    /// Sends one request in AWS's JSON form; gives the status, the request id and the body.
    pub(crate) async fn ask(&self, key: &str, operation: &str, body: &str) -> (u16, Value) {
        self.ask_in(REGION, key, operation, body).await
    }

    /// The same in a region.
    pub(crate) async fn ask_in(&self, region: &str, key: &str, operation: &str, body: &str) -> (u16, Value) {
        let (service, name) = operation.split_once('.').unwrap();
        let (prefix, media) = match service {
            "events" => ("AWSEvents", "application/x-amz-json-1.1"),
            "logs" => ("Logs_20140328", "application/x-amz-json-1.1"),
            _ => ("AmazonSQS", "application/x-amz-json-1.0"),
        };
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20240101/{region}/{service}/aws4_request, Signature=x"
        );
        let response = self
            .http
            .post(&self.url)
            .header("authorization", scope)
            .header("x-amz-target", format!("{prefix}.{name}"))
            .header("content-type", media)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        assert!(response.headers().contains_key("x-amzn-requestid"), "{operation}");
        let status = response.status().as_u16();
        (
            status,
            serde_json::from_str(&response.text().await.unwrap()).unwrap(),
        )
    }

    /// Runs requests in order; every one has to be answered as expected.
    pub(crate) async fn run(&self, steps: &[Step<'_>]) {
        for (key, operation, body, expected) in steps {
            let (status, answer) = self.ask(key, operation, body).await;
            let shown = format!("{operation} {body} by {key} gave {status} {answer}, not {expected}");
            if let Some(wanted) = expected.strip_prefix("ok") {
                assert_eq!(status, 200, "{shown}");
                let wanted = if wanted.is_empty() {
                    Value::Null
                } else {
                    serde_json::from_str(wanted).unwrap()
                };
                assert!(has(&answer, &wanted), "{shown}");
            } else {
                let (wanted, message) = expected.split_once(": ").unzip();
                let code = answer["__type"].as_str().unwrap_or_default();
                let code = code.rsplit('#').next();
                assert_eq!(code, Some(wanted.unwrap_or(*expected)), "{shown}");
                assert!(
                    message.is_none_or(|message| answer["message"] == message),
                    "{shown}"
                );
                assert_ne!(status, 200, "{shown}");
            }
        }
    }

    /// Runs requests that are written one a line: `KEY Service.Operation BODY => EXPECTED`.
    pub(crate) async fn play(&self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (request, expected) = line.split_once(" => ").unwrap();
            let mut words = request.splitn(3, ' ');
            let (key, operation, body) = (
                words.next().unwrap(),
                words.next().unwrap(),
                words.next().unwrap(),
            );
            self.run(&[(key, operation, body, expected)]).await;
        }
    }

    /// `GET /_local/…`.
    pub(crate) async fn look(&self, path: &str) -> Value {
        let text = self
            .http
            .get(format!("{}/_local/{path}", self.url))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// `POST /_local/…`.
    pub(crate) async fn tell(&self, path: &str, body: &str) -> Value {
        let url = format!("{}/_local/{path}", self.url);
        let response = self.http.post(url).body(body.to_owned()).send().await.unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }
}

/// Whether `answer` has all of `wanted`.
pub(crate) fn has(answer: &Value, wanted: &Value) -> bool {
    match (answer, wanted) {
        (_, Value::Null) => true,
        (Value::Object(answer), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| answer.get(name).is_some_and(|there| has(there, value))),
        (Value::Array(answer), Value::Array(wanted)) => {
            answer.len() == wanted.len() && answer.iter().zip(wanted).all(|(a, w)| has(a, w))
        }
        (answer, wanted) => answer == wanted,
    }
}
