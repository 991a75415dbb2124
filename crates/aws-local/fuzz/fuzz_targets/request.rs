//! `cargo fuzz run request`: the operation and the signature's scope in the first two lines, the body in the rest. A
//! body that is a number is the seed of one made from the service's model.
#![no_main]

use aws_local::testing::Local;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static LOCAL: (Local, Vec<String>) = (Local::new(), Local::operations());
}

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (target, scope, body) = (line(), line(), line());
    let (target, scope) = (String::from_utf8_lossy(target), String::from_utf8_lossy(scope));
    let seed = std::str::from_utf8(body).ok().and_then(|text| text.parse::<u64>().ok());
    LOCAL.with(|(local, operations)| {
        local.used();
        // A number selects one of the operations: random bytes would not spell their names.
        let target = match target.parse::<usize>() {
            Ok(number) => operations[number % operations.len()].as_str(),
            Err(_) => &target,
        };
        match seed {
            Some(seed) => local.ask(target, &scope, &Local::body(target, seed)),
            None => local.ask(target, &scope, body),
        };
    });
});
