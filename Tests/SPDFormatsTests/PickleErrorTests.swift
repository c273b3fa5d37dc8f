import Foundation
import Testing

@testable import SPDFormats

/// Every message about the pickle and the tensors of a PyTorch checkpoint.
struct PickleErrorTests {
  typealias Case = ErrorMessageTests.Case

  private static let one: [String: [UInt8]] = ["0": [0, 0, 128, 63]]
  private static func pickle(_ wanted: String, _ pickle: Pickle) -> Case {
    Case(wanted, torchFile(pickle.end, storages: one))
  }
  private static func weight(_ wanted: String, _ body: (Pickle) -> Pickle) -> Case {
    pickle(wanted, Pickle().dict { body($0.text("w")) })
  }
  private static func rebuilt(_ name: String, _ body: (Pickle) -> Pickle) -> Pickle {
    Pickle().call("torch._utils", name, body)
  }

  static let machine: [Case] = [
    Case("is not a pickle of protocol 2 to 5", torchFile(Array("(dp0\n.".utf8))),
    Case("ends early: 1 bytes wanted for the next instruction", torchFile([0x80, 2])),
    Case("a module name has no end of line", torchFile([0x80, 2, 0x63, 0x61])),
    Case("the unsupported instruction 0x49", torchFile([0x80, 2, 0x49])),
    Case("has pickle protocol 6; 2 to 5 are read", torchFile([0x80, 6])),
    Case(
      "the pickle has more than 8000000 instructions",
      torchFile([0x80, 2] + [UInt8](repeating: 0x4e, count: 8_000_000))),
    pickle("an instruction finds no operand", Pickle().op("0")),
    pickle("an instruction finds no operand", Pickle().op("t")),
    pickle("an instruction finds no operand", Pickle().op("N").op("(").op("a")),
    pickle("it has no memo 7", Pickle().get(7)),
    pickle("it appends to what is no list", Pickle().op("N").op("N").op("a")),
    pickle("a key has no value", Pickle().op("}").op("(").op("N").op("u")),
    pickle("it puts items into what is no dict", Pickle().op("N").op("N").op("N").op("s")),
    pickle("names a class by something that is not text", Pickle().op("N").op("N") + [0x93]),
    pickle("it calls what is not a name", Pickle().op("N").op(")").op("R")),
    pickle("the arguments of a call are no tuple", Pickle().global("a", "b").op("N").op("R")),
    pickle("the pickle would call os.sy\\u{1b}stem; refused", Pickle().call("os", "sy\u{1b}stem") { $0.text("x") }),
    pickle("the pickle would call builtins.getattr; refused", Pickle().call("__builtin__", "getattr") { $0 }),
    pickle("would call torch._utils._rebuild_qtensor", rebuilt("_rebuild_qtensor") { $0 }),
    pickle("it makes an instance of what is no class", Pickle().op("N").op(")") + [0x81]),
    pickle("it hands a state to what is no object", Pickle().op("N").op("N").op("b")),
    pickle("it names something that is no storage", Pickle().op("N").op("Q")),
    pickle("it names something that is no storage", Pickle().storage(count: -1)),
    pickle("torch._utils._rebuild_tensor_v2 has arguments of the wrong kind", rebuilt("_rebuild_tensor_v2") { $0 }),
    pickle(
      "torch._utils._rebuild_parameter has arguments of the wrong kind", rebuilt("_rebuild_parameter") { $0.op("N") }),
    pickle(
      "torch._tensor._rebuild_from_type_v2 has arguments of the wrong kind",
      Pickle().call("torch._tensor", "_rebuild_from_type_v2") {
        $0.global("torch._tensor", "_rebuild_from_type_v2").op("N").op(")").op("N")
      }),
    pickle(
      "_codecs.encode has arguments of the wrong kind", Pickle().call("_codecs", "encode") { $0.text("é").text("utf8") }
    ),
    pickle(
      "_codecs.encode has arguments of the wrong kind",
      Pickle().call("_codecs", "encode") { $0.text("→").text("latin1") }),
    pickle(
      "copyreg._reconstructor has arguments of the wrong kind", Pickle().call("copy_reg", "_reconstructor") { $0 }),
    pickle(
      "dict has arguments of the wrong kind", Pickle().call("builtins", "dict") { $0.op("]").op("N").op("a") }),
    pickle(
      "element type \"torch.float8_e5m2\" is not read",
      rebuilt("_rebuild_tensor_v3") {
        $0.storage(type: "UntypedStorage", count: 4).int(0).op(")").op(")").op("N").op("N").global(
          "torch", "float8_e5m2")
      }),
    pickle("handles the same data again and again", copying()),
  ]

  /// A large list of pairs made into a dict a thousand times.
  private static func copying() -> Pickle {
    var pickle = Pickle().int(1).op("N") + [0x86]
    pickle = pickle.put(1).op("]").put(0).op("(")
    for _ in 0..<5000 { pickle = pickle + [0x68, 1] }
    pickle = pickle.op("e").global("collections", "OrderedDict").put(2)
    for _ in 0..<1000 { pickle = pickle + [0x68, 2, 0x68, 0, 0x85, 0x52, 0x30] }
    return pickle
  }

  static let weights: [Case] = [
    Case("holds more than one data.pkl", zipArchive([("a/data.pkl", []), ("b/data.pkl", [])])),
    Case("has the unknown byte order \"middle\"", torchFile([], more: [("m/byteorder", Array("middle".utf8))])),
    weight("lacks the storage \"9\"") { $0.tensor([1], strides: [1], key: "9", count: 1) },
    weight("a storage of 2 fp32 elements is declared, 4 bytes are there") { $0.tensor([1], strides: [1], count: 2) },
    weight("\"torch.QInt8Storage\" is not read") { $0.tensor([1], strides: [1], type: "QInt8Storage", count: 1) },
    weight("has 1 axes and 0 strides (tensor \"w\")") { $0.tensor([1], strides: [], count: 1) },
    weight("has a negative offset or stride") { $0.tensor([1], strides: [-1], count: 1) },
    weight("has a negative offset or stride") { $0.tensor([1], strides: [1], offset: -1, count: 1) },
    weight("has the impossible shape -1") { $0.tensor([-1], strides: [1], count: 1) },
    weight("has the impossible shape 2147483647×") {
      $0.tensor([Int32](repeating: .max, count: 3), strides: [0, 0, 0], count: 1)
    },
    weight("of shape 2 reaches beyond its storage of 1 elements") { $0.tensor([2], strides: [1], count: 1) },
    weight("reaches beyond its storage") { $0.tensor([1], strides: [1], offset: 1, count: 1) },
    weight("reaches beyond its storage") {
      $0.tensor([1 << 20, 1, 1 << 20], strides: [.max, .max, .max], offset: .max, count: 1)
    },
    pickle("the pickle holds no dict and no torch module", Pickle().op("N")),
    pickle("the dict has no named entries", Pickle().op("}")),
    pickle(
      "the pickled module has no parameters",
      Pickle().object("m", "M").dict { $0.text("_modules").op("}") }.op("b")),
    pickle(
      "has two tensors named \"w\"",
      Pickle().object("m", "M").dict {
        let tensor = { (pickle: Pickle) in pickle.dict { $0.text("w").tensor([1], strides: [1], count: 1) } }
        return tensor(tensor($0.text("_parameters")).text("_buffers"))
      }.op("b")),
    weight("an array of shape 3 does not fit its 4 bytes") {
      $0.call("numpy.core.multiarray", "_reconstruct") { $0 }.tuple {
        $0.int(1).tuple { $0.int(3) }.call("numpy", "dtype") { $0.text("f4") }.tuple { $0.int(3).text("<") }.op("b")
          .raw([0x89]).call("_codecs", "encode") { $0.text("abcd").text("latin1") }
      }.op("b")
    },
  ]

  @Test(arguments: machine + weights) func pickles(_ item: Case) {
    let text = message { _ = try parseCheckpoint(item.bytes, path: "x") } ?? "no error"
    #expect(text.hasPrefix("x: ") && text.contains(item.wanted), "\(text)")
  }

  @Test func tensorsWithoutEnd() {
    // 2¹⁷ paths to a module with a dozen parameters.
    var modules = Pickle().object("m", "M").dict { pickle in
      pickle.text("_parameters").dict { pickle in
        (0..<12).reduce(pickle) { $0.text("\($1)").tensor([1], strides: [1], count: 1) }
      }
    }.op("b").put(0)
    for _ in 0..<16 {
      modules = modules.object("m", "M").dict { $0.text("_modules").dict { $0.text("a").get(0).text("b").get(0) } }
        .op("b").put(0)
    }
    // Modules above count as visits too, so the first limit that is met is either of two.
    let text = message { _ = try parseCheckpoint(torchFile(modules.end, storages: Self.one), path: "x") } ?? "no error"
    #expect(text.contains("without end"), "\(text)")
  }

  @Test func tooManyAxes() {
    let ones = [Int](repeating: 1, count: 65)
    guard case .failure(let fault) = StridedLayout.checked(shape: ones, strides: ones, offset: 0, available: 1) else {
      Issue.record("65 axes are accepted")
      return
    }
    #expect(fault.text == "has 65 axes, more than 64")
  }

  /// Integers of every width and sign.
  @Test func longIntegers() throws {
    let cases: [([UInt8], Int)] = [
      ([], 0), ([1], 1), ([0xff], -1), ([0, 1], 256), ([0, 0x80], -32768),
      ([255, 255, 255, 255, 255, 255, 255, 127], .max),
    ]
    for (bytes, value) in cases {
      let pickle: [UInt8] = [0x80, 2, 0x8a, UInt8(bytes.count)] + bytes + [0x2e]
      var machine = PickleMachine(pickle[...], path: "x", region: "data.pkl")
      guard case .int(value) = try machine.run() else {
        Issue.record("\(bytes) is not \(value)")
        continue
      }
    }
  }
}
