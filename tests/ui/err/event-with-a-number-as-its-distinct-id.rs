//~ `{integer}` cannot be a distinct id, which is text
//~ expected `&str`, `String` or a type that converts into `String`
//~ convert another value to text first, for example with `.to_string()`
//~ 1 error

fn main() {
    candor::event!("server started", distinct_id = 42);
}
