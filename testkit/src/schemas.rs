//! A JSON Schema validator that is independent of the crate under test.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

pub struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    pub fn new(text: &str) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let value: Value = serde_json::from_str(text).expect("a schema in JSON");
        compiler.add_resource("urn:schema", value).expect("a resource");
        let index = compiler.compile("urn:schema", &mut schemas).expect("a schema that compiles");
        Self { schemas, index }
    }

    #[track_caller]
    pub fn assert_admits(&self, value: &Value) {
        if let Err(error) = self.schemas.validate(value, self.index) {
            panic!("{error:#}\n{value:#}");
        }
    }

    pub fn admits(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.index).is_ok()
    }
}
