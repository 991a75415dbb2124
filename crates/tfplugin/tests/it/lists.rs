//! Lists: a shelf of books, which can be as many as a test asks for.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tfplugin::testing::{Harness, Wanted};
use tfplugin::{
    Attrs, ConfigureRequest, Diagnostic, Found, Identity, ImportedAttrs, List, Operation, Provider, Registry,
    Resource, Result, Timeouts, secs,
};

/// A shelf.
#[derive(Attrs)]
struct Shelf {}

/// What happened to the shelf.
#[derive(Default)]
struct Client {
    counts: Mutex<Counts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    found: u64,
    reads: u64,
    reading: u64,
    reading_max: u64,
    dropped: bool,
}

impl Client {
    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap()
    }
}

impl Provider for Shelf {
    const NAME: &'static str = "shelf";
    type Client = std::sync::Arc<Client>;

    async fn configure(self, _request: &ConfigureRequest) -> Result<Self::Client> {
        Ok(Self::Client::default())
    }

    fn register(registry: &mut Registry<Self::Client>) {
        registry.resource::<Book>().list::<Books>();
    }
}

/// A book.
#[derive(Attrs, Clone)]
struct Book {
    /// Its number.
    #[tf(required, replace)]
    number: i64,
    /// Its title.
    #[tf(computed)]
    title: Option<String>,
}

impl Book {
    fn titled(number: i64) -> Self {
        Self {
            number,
            title: Some(format!("volume {number}")),
        }
    }
}

impl Resource for Book {
    const NAME: &'static str = "book";
    type Client = std::sync::Arc<Client>;
    const IDENTITY: Identity = Identity::of(&["number"]);
    const TIMEOUTS: Timeouts = Timeouts::none().delete(secs(9));

    async fn create(plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(Self::titled(plan.number))
    }

    async fn read(state: Self, operation: &mut Operation<'_, Self>) -> Result<Option<Self>> {
        {
            let mut counts = operation.client().counts();
            counts.reads += 1;
            counts.reading += 1;
            counts.reading_max = counts.reading_max.max(counts.reading);
        }
        // The earlier ones take longer.
        let wait = Duration::from_millis(10 + u64::try_from(7 - state.number % 7).unwrap_or_default());
        tokio::time::sleep(wait).await;
        operation.client().counts().reading -= 1;
        match state.number {
            13 => Ok(None),
            66 => Err(Diagnostic::error("It is chained").into()),
            77 => panic!("it burns"),
            number => {
                if number == 5 {
                    operation.warn(Diagnostic::warning("A page is torn"));
                }
                Ok(Some(Self::titled(number)))
            }
        }
    }

    async fn update(_prior: Self, plan: Self, _operation: &mut Operation<'_, Self>) -> Result<Self> {
        Ok(plan)
    }

    async fn delete(_state: Self, _operation: &mut Operation<'_, Self>) -> Result<()> {
        Ok(())
    }
}

/// The books.
#[derive(Attrs)]
struct Books {
    /// How many there are.
    #[tf(optional, default = 3, check = not_negative)]
    count: i64,
    /// The number of the first.
    #[tf(optional, default = 1)]
    first: i64,
    /// `whole` lists them with their titles, `waits` stops half way, `fails` ends with an error, `panics` with a panic.
    #[tf(optional, default = "")]
    mode: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a check takes a reference, whatever the type"
)]
fn not_negative(count: &i64) -> Result<(), String> {
    if *count >= 0 {
        Ok(())
    } else {
        Err("must not be negative".to_owned())
    }
}

/// Notes that the list was dropped.
struct Noted<'a>(&'a Client);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.0.counts().dropped = true;
    }
}

impl List for Books {
    type Of = Book;

    async fn list(self, operation: &mut Operation<'_, Self>, found: &mut Found<Book>) -> Result<()> {
        let client = operation.client();
        let _noted = Noted(client);
        for number in self.first..self.first + self.count {
            client.counts().found += 1;
            let name = format!("book {number}");
            if self.mode == "whole" {
                found.object(name, Book::titled(number)).await;
            } else {
                let by = ImportedAttrs::new().set(Book::number(), number);
                found.import(name, by).await;
            }
        }
        match self.mode.as_str() {
            "waits" => std::future::pending().await,
            "fails" => Err(Diagnostic::error("The ladder broke").into()),
            "panics" => panic!("the shelf fell"),
            _ => Ok(()),
        }
    }
}

struct Bench {
    harness: Harness,
    client: std::sync::Arc<Client>,
}

impl Bench {
    fn new() -> Self {
        let client = std::sync::Arc::<Client>::default();
        Self {
            harness: Harness::with_client::<Shelf>(std::sync::Arc::clone(&client)),
            client,
        }
    }

    fn counts(&self) -> Counts {
        *self.client.counts()
    }
}

/// The names of what is listed, and the messages.
async fn check(config: Json, wanted: Wanted, names: &[&str], messages: &str) {
    let bench = Bench::new();
    let listed = bench.harness.list("shelf_book", config.clone(), wanted).await;
    let (found, text) = match listed {
        Ok(listed) => {
            for object in &listed.objects {
                let number = &object.identity["number"];
                assert_eq!(object.display_name, format!("book {number}"));
                let whole =
                    json!({ "number": number, "title": format!("volume {number}"), "timeouts": null });
                assert_eq!(object.object, if wanted.objects { whole } else { json!(null) });
            }
            let names = listed.objects.into_iter().map(|object| object.display_name);
            (names.collect::<Vec<_>>(), listed.warnings.to_string())
        }
        Err(diags) => (Vec::new(), diags.to_string()),
    };
    assert_eq!(found, names, "{config}");
    assert_eq!(text, messages, "{config}");
}

const IDENTITIES: Wanted = Wanted {
    limit: 100,
    objects: false,
};
const OBJECTS: Wanted = Wanted {
    limit: 100,
    objects: true,
};
const THREE: [&str; 3] = ["book 1", "book 2", "book 3"];

#[tokio::test(start_paused = true)]
async fn objects_come_in_their_order_and_as_they_were_asked_for() {
    check(json!({}), IDENTITIES, &THREE, "").await;
    check(json!({}), OBJECTS, &THREE, "").await;
    check(json!({ "mode": "whole" }), IDENTITIES, &THREE, "").await;
    check(json!({ "mode": "whole" }), OBJECTS, &THREE, "").await;
    check(json!({ "count": 0 }), OBJECTS, &[], "").await;
    let torn = "warning: A page is torn";
    check(
        json!({ "first": 4, "count": 2 }),
        OBJECTS,
        &["book 4", "book 5"],
        torn,
    )
    .await;
    let gone =
        "warning: `book 13` is left out of the list: This `shelf_book` was deleted while the list was made.";
    check(
        json!({ "first": 12, "count": 3 }),
        OBJECTS,
        &["book 12", "book 14"],
        gone,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_said_where_there_is_more() {
    let limited = |limit, objects| Wanted { limit, objects };
    let more = "warning: There are more than 2 objects of `shelf_book`: The list ends at its `limit`, which is 2. Set a higher \
                `limit` in the `list` block, beside `provider`, or ask for fewer in its `config`.";
    for objects in [true, false] {
        check(json!({}), limited(3, objects), &THREE, "").await;
        check(json!({}), limited(2, objects), &THREE[..2], more).await;
        check(json!({ "mode": "whole" }), limited(2, objects), &THREE[..2], more).await;
        check(
            json!({ "count": 2, "mode": "whole" }),
            limited(2, objects),
            &THREE[..2],
            "",
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn errors_end_the_list() {
    check(
        json!({ "mode": "fails" }),
        OBJECTS,
        &[],
        "error: The ladder broke",
    )
    .await;
    check(json!({ "first": 65 }), OBJECTS, &[], "error: It is chained").await;
    let crash = |text| {
        format!(
            "error: The provider crashed: This is a bug in the provider: {text}. What was done before is in the state as far as it was saved."
        )
    };
    check(
        json!({ "mode": "panics" }),
        OBJECTS,
        &[],
        &crash("the shelf fell"),
    )
    .await;
    check(json!({ "first": 77 }), OBJECTS, &[], &crash("it burns")).await;
    let negative = "error: Invalid value (at count): `count` must not be negative.";
    check(json!({ "count": -1 }), OBJECTS, &[], negative).await;
}

/// What is found beyond the limit is neither read nor looked for.
#[tokio::test(start_paused = true)]
async fn only_what_is_asked_for_is_read_a_few_at_a_time() {
    let bench = Bench::new();
    let wanted = Wanted {
        limit: 50,
        objects: true,
    };
    let endless = json!({ "count": 1_000_000, "first": 100 });
    let listed = bench.harness.list("shelf_book", endless, wanted).await.unwrap();
    assert_eq!(listed.objects.len(), 50);
    // Time passes only while everything waits: the list is over.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let counts = bench.counts();
    assert_eq!((counts.reads, counts.reading_max, counts.dropped), (50, 8, true));
    assert!(counts.found <= 53, "{counts:?}");
}

/// A client that does not read holds the list back, and one that goes away ends it.
#[tokio::test(start_paused = true)]
async fn memory_is_bounded_whoever_reads() {
    let bench = Bench::new();
    let wanted = Wanted {
        limit: usize::MAX,
        objects: true,
    };
    let endless = json!({ "count": 1_000_000, "first": 100 });
    let mut stream = bench
        .harness
        .list_stream("shelf_book", endless, wanted)
        .await
        .unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().display_name, "book 100");
    tokio::time::sleep(Duration::from_mins(1)).await;
    let counts = bench.counts();
    assert!((20..40).contains(&counts.found) && !counts.dropped, "{counts:?}");
    drop(stream);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(bench.counts().dropped);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_ends_the_list() {
    let bench = Bench::new();
    let waits = json!({ "mode": "waits" });
    let mut stream = bench
        .harness
        .list_stream("shelf_book", waits, OBJECTS)
        .await
        .unwrap();
    for name in THREE {
        assert_eq!(stream.next().await.unwrap().unwrap().display_name, name);
    }
    bench.harness.stop().await;
    let stopped = stream.next().await.unwrap_err().to_string();
    assert_eq!(
        stopped,
        "error: The list of `shelf_book` was interrupted: It is not whole. Nothing was changed."
    );
    assert!(bench.counts().dropped);
    // Later ones are served.
    let listed = bench
        .harness
        .list("shelf_book", json!({}), OBJECTS)
        .await
        .unwrap();
    assert_eq!(listed.objects.len(), 3);
}

/// A provider whose list has no resource.
#[derive(Attrs)]
struct Empty {}

impl Provider for Empty {
    const NAME: &'static str = "empty";
    type Client = std::sync::Arc<Client>;

    async fn configure(self, _request: &ConfigureRequest) -> Result<Self::Client> {
        Ok(Self::Client::default())
    }

    fn register(registry: &mut Registry<Self::Client>) {
        registry.list::<Books>();
    }
}

#[test]
fn a_list_needs_its_resource() {
    let Err(panic) = std::panic::catch_unwind(Harness::new::<Empty>) else {
        panic!("it is taken");
    };
    let text = panic.downcast_ref::<String>().unwrap();
    assert_eq!(
        *text,
        "error: The provider is put together wrongly: the list of `empty_book` needs the resource itself, which must have an identity and be importable."
    );
}
