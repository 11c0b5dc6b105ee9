//! Every name of PostHog's that begins with `$`, once.

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $NAME:ident = $name:literal;)+) => {
        $(
            $(#[doc = $doc])+
            #[allow(dead_code, reason = "one that is only compared with encoded events")]
            pub(crate) const $NAME: &str = $name;
        )+

        /// The same names as JSON, in quotes.
        #[allow(dead_code, reason = "most are never compared with encoded events")]
        pub(crate) mod quoted {
            $($(#[doc = $doc])+ pub(crate) const $NAME: &[u8] = concat!("\"", $name, "\"").as_bytes();)+
        }
    };
}

names! {
    /// The event that makes a person known.
    IDENTIFY = "$identify";
    /// The event that makes one person of two ids.
    CREATE_ALIAS = "$create_alias";
    /// The event that makes one person of two, whatever is known about them.
    MERGE_DANGEROUSLY = "$merge_dangerously";
    /// The event that describes a group.
    GROUP_IDENTIFY = "$groupidentify";
    /// What the names of AI events begin with.
    AI_PREFIX = "$ai_";

    /// Properties of the person to set; as an event, one that does nothing else.
    SET = "$set";
    /// Properties of the person to set unless they are set.
    SET_ONCE = "$set_once";
    /// Properties of the person to remove.
    UNSET = "$unset";
    /// The id under which a person was known before.
    ANON_DISTINCT_ID = "$anon_distinct_id";

    /// The groups of an event: an object of types and keys.
    GROUPS = "$groups";
    /// The type of the group that is described.
    GROUP_TYPE = "$group_type";
    /// The key of the group that is described.
    GROUP_KEY = "$group_key";
    /// Properties of the group to set.
    GROUP_SET = "$group_set";

    /// The library that captured the event.
    LIB = "$lib";
    /// The version of that library.
    LIB_VERSION = "$lib_version";
    /// Whether the event comes from a server.
    IS_SERVER = "$is_server";
    /// Whether no place is looked up from the sender's address.
    GEOIP_DISABLE = "$geoip_disable";

    /// Whether the event is stored with a person.
    PROCESS_PERSON_PROFILE = "$process_person_profile";
    /// Whether the receiver makes an id of its own for the event.
    COOKIELESS_MODE = "$cookieless_mode";
    /// Whether the receiver takes the event's time as it is.
    IGNORE_SENT_AT = "$ignore_sent_at";
    /// The product tour that the event belongs to.
    PRODUCT_TOUR_ID = "$product_tour_id";
    /// The session that the event belongs to.
    SESSION_ID = "$session_id";
    /// The window that the event belongs to.
    WINDOW_ID = "$window_id";
}

/// The properties that a protocol may carry outside of the properties.
pub(crate) const LIFTED: [&str; 6] =
    [PROCESS_PERSON_PROFILE, COOKIELESS_MODE, IGNORE_SENT_AT, PRODUCT_TOUR_ID, SESSION_ID, WINDOW_ID];

/// The properties that the library adds to events by itself.
pub(crate) const OF_THE_LIBRARY: [&str; 5] =
    [LIB, LIB_VERSION, IS_SERVER, GEOIP_DISABLE, PROCESS_PERSON_PROFILE];

/// Returns whether a protocol may carry this property outside of the properties.
#[inline]
pub(crate) fn is_lifted(key: &str) -> bool {
    LIFTED.contains(&key)
}

/// Returns whether a name in quotes is one of PostHog's.
pub(crate) fn is_reserved(quoted: &[u8]) -> bool {
    quoted.starts_with(b"\"$")
}
