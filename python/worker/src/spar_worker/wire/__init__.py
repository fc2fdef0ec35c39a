"""The encodings of the wire: JSON and protobuf in, JSON and protobuf out."""
