extension String {
  /// Whether it can name a layer or parameter: 1 to 255 ASCII letters, digits, `_`, `-` and `.`.
  ///
  /// These are the characters of PyTorch's state-dict keys; none of them ends a comment or a string in generated C.
  package var isLayerName: Bool {
    !isEmpty && utf8.count <= GraphLimits.name
      && utf8.allSatisfy {
        $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
      }
  }

  /// Whether it can name a model: the stem of C names once `-` is replaced by `_`.
  package var isModelName: Bool {
    guard let first = utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first), first != UInt8(ascii: "-")
    else { return false }
    return utf8.count <= GraphLimits.name
      && utf8.allSatisfy { $0.isASCIILetterOrDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
  }

  /// The macro of the C library that a model of this name would define once more: `<NAME>_WIDTH`, as its header gives the input's.
  package var macroOfC: String? {
    let types = [
      "bool", "char", "schar", "uchar", "shrt", "ushrt", "int", "uint", "long", "ulong", "llong", "ullong", "size",
      "ptrdiff",
      "wchar", "wint", "sig_atomic", "intptr", "uintptr", "intmax", "uintmax",
    ]
    let sized = ["int", "uint", "int_least", "uint_least", "int_fast", "uint_fast"].flatMap { kind in
      [8, 16, 32, 64].map { "\(kind)\($0)" }
    }
    let name = replacing("-", with: "_").lowercased()
    return (types + sized).contains(name) ? name.uppercased() + "_WIDTH" : nil
  }

  /// Whether it can be a file name in a source location: no control, format or line-separating characters.
  package var isPrintableLine: Bool {
    utf8.count <= 4096
      && unicodeScalars.allSatisfy {
        switch $0.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: true
        }
      }
  }

  /// Quotes a name for a message, at most 60 characters, with everything but printable ASCII as `\u{…}`: a name that was
  /// refused must not reach a terminal raw.
  package var quotedForMessage: String {
    let shown = unicodeScalars.prefix(60).map { scalar in
      (0x20..<0x7f).contains(scalar.value) && scalar != "\\"
        ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
    }
    return "“" + shown.joined() + (unicodeScalars.count > 60 ? "…" : "") + "”"
  }
}

extension UInt8 {
  fileprivate var isASCIILetterOrDigit: Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
  }
}

extension Graph {
  /// Checks every text of the graph against the alphabet of its kind.
  ///
  /// - Throws: `GraphError` with the place as a path into the graph file.
  func verifyNames() throws(GraphError) {
    guard name.isModelName else {
      throw GraphError("name: \(name.quotedForMessage) is no model name: it must be made of letters, digits, - and _")
    }
    if let macro = name.macroOfC {
      throw GraphError("name: \(name) would define C's own macro \(macro); give it another one, such as \(name)-net")
    }
    for (index, parameter) in parameters.enumerated() where !parameter.name.isLayerName {
      throw GraphError("parameters[\(index)].name: \(parameter.name.quotedForMessage) \(Self.nameRule)")
    }
    for (index, node) in nodes.enumerated() {
      // What a model file declares outside of every layer, such as a sum, has none.
      guard node.layer.isEmpty || node.layer.isLayerName else {
        throw GraphError("nodes[\(index)].layer: \(node.layer.quotedForMessage) \(Self.nameRule)")
      }
      guard node.source.fileID.isPrintableLine, (0...Int(Int32.max)).contains(node.source.line) else {
        throw GraphError(
          "nodes[\(index)].source: \(node.source.fileID.quotedForMessage), line \(node.source.line), is no place in a file"
        )
      }
    }
  }

  static let nameRule = "is no name: it must be made of 1 to 255 letters, digits, _, - and ."
}
