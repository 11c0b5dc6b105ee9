//! The `event!` macro, which never evaluates an argument unless the gate is open.

/// Captures a dynamic event on the global client. No argument is evaluated while capture is off.
///
/// ```
/// # fn expensive() -> u32 { panic!("evaluated while off") }
/// candor::event!("server started", distinct_id = "node-7", replicas = expensive(), tls = true);
/// candor::event!("page viewed", distinct_id = "node-7", "$current_url" = "/", groups = { deployment = "dep_1" });
/// ```
///
/// With `client = ...` first, the event goes to that client:
///
/// ```
/// let client = candor::Client::disabled();
/// candor::event!(client = client, "server started", distinct_id = "node-7");
/// ```
///
/// Property names are identifiers or string literals; a value can be of any type that implements
/// `serde::Serialize`. `timestamp = ...` sets the time at which the event happened.
///
/// Without `distinct_id` the event has the distinct id of the active [`Context`](crate::Context): a random one, and no
/// person, if the context has none. Outside of a context it is dropped and counted.
#[macro_export]
macro_rules! event {
    (client = $client:expr, $name:expr, distinct_id = $id:expr $(, $($rest:tt)*)?) => {{
        let client = &$client;
        if client.admits_event() {
            client.capture::<&dyn $crate::Event>(&$crate::__event!(
                $crate::__private::InlineEvent::new($name).distinct_id($crate::__distinct_id!($id)), $($($rest)*)?
            ));
        }
    }};
    (client = $client:expr, $key:ident = $($rest:tt)*) => {
        ::core::compile_error!(
            "the name of the event must come first, as in `event!(\"server started\", distinct_id = \"node-7\", replicas = 3)`"
        )
    };
    (client = $client:expr, $name:expr $(, $($rest:tt)*)?) => {{
        let client = &$client;
        if client.admits_event() {
            client.capture::<&dyn $crate::Event>(&$crate::__event!(
                $crate::__private::InlineEvent::new($name), $($($rest)*)?
            ));
        }
    }};
    ($key:ident = $($rest:tt)*) => {
        ::core::compile_error!(
            "the name of the event must come first, as in `event!(\"server started\", distinct_id = \"node-7\", replicas = 3)`"
        )
    };
    ($name:expr, distinct_id = $id:expr $(, $($rest:tt)*)?) => {{
        if $crate::admits_event() {
            $crate::capture::<&dyn $crate::Event>(&$crate::__event!(
                $crate::__private::InlineEvent::new($name).distinct_id($crate::__distinct_id!($id)), $($($rest)*)?
            ));
        }
    }};
    ($name:expr $(, $($rest:tt)*)?) => {{
        if $crate::admits_event() {
            $crate::capture::<&dyn $crate::Event>(&$crate::__event!(
                $crate::__private::InlineEvent::new($name), $($($rest)*)?
            ));
        }
    }};
    ($($rest:tt)*) => {
        ::core::compile_error!(
            "expected a name, followed by properties, as in `event!(\"server started\", distinct_id = \"node-7\", replicas = 3)`"
        )
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __event {
    ($event:expr, $(,)?) => { $event };
    ($event:expr, groups = { $($kind:ident = $key:expr),* $(,)? } $(, $($rest:tt)*)?) => {
        $crate::__event!($event $(.group(const { $crate::__private::bare(::core::stringify!($kind)) }, $key))*, $($($rest)*)?)
    };
    ($event:expr, groups = $($rest:tt)*) => {
        ::core::compile_error!(
            "`groups` takes group types, each with a key, as in `groups = { company = \"acme\" }`; for a property of \
             this name, write `\"groups\" = ..`"
        )
    };
    ($event:expr, distinct_id = $id:expr $(, $($rest:tt)*)?) => {
        $crate::__event!($event.distinct_id($crate::__distinct_id!($id)), $($($rest)*)?)
    };
    ($event:expr, timestamp = $at:expr $(, $($rest:tt)*)?) => {
        $crate::__event!($event.timestamp($at), $($($rest)*)?)
    };
    ($event:expr, $key:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__event!($event.property($crate::__identifier!($key), $value), $($($rest)*)?)
    };
    ($event:expr, $key:literal = $value:expr $(, $($rest:tt)*)?) => {
        $crate::__event!($event.property($crate::__key!($key), $value), $($($rest)*)?)
    };
    ($event:expr, $($rest:tt)*) => {
        ::core::compile_error!(
            "expected `key = value` with an identifier or a string literal as the key, as in `replicas = 3` or \
             `\"$current_url\" = \"/\"`; set groups with `groups = { company = \"acme\" }`"
        )
    };
}

/// A distinct id: text that is only borrowed is copied into memory that the thread reuses.
#[doc(hidden)]
#[macro_export]
macro_rules! __distinct_id {
    ($id:expr) => {{
        use $crate::__private::AsIs as _;
        $crate::__private::Id($id).text()
    }};
}

/// The name of a property that is written as an identifier, encoded at compile time.
#[doc(hidden)]
#[macro_export]
macro_rules! __identifier {
    ($key:ident) => {
        const {
            $crate::__private::Key::of_identifier(
                ::core::stringify!($key),
                ::core::concat!(",\"", ::core::stringify!($key), "\":"),
            )
        }
    };
}

/// The name of a property that is written as a literal, encoded at compile time.
#[doc(hidden)]
#[macro_export]
macro_rules! __key {
    ($key:expr) => {
        const { $crate::__private::Key::new($key, ::core::concat!(",\"", $key, "\":")) }
    };
}
