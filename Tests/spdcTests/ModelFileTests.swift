import Foundation
import SPDFormats
import Testing

/// Model files of the user's own, right and wrong.
@Suite struct ModelFileTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func compile(_ text: String, _ more: String..., name: String = "bad.swift") async throws -> Outcome {
    _ = try scratch.write(text, name)
    // The relative path is the one that messages should show.
    return try await spdc(
      arguments: ["compile", name, "--emit", "c", "-o", "out", "--json"] + more, in: scratch.path)
  }

  private func model(_ body: String, size: String = "3, 32, 32", name: String = "mine") -> String {
    """
    import SPD
    public let mine = Model("\(name)", input: .image(\(size)), classes: 10) { image, classes in
    \(body)
    }
    """
  }

  @Test func anyNetworkOfTheUsersOwn() async throws {
    let path = try scratch.write(
      model(
        """
          let a = image.through(Conv2D(8, kernel: 3, bias: false), BatchNorm(), LeakyReLU(0.1))
          // in place of a convolution with stride 3, and of a pooling layer
          let b = a.through(SpaceToDepth(scale: 3), Conv2D(12, kernel: 1), Hardswish(), SpaceToDepth(order: .pixelUnshuffle))
          let c = a.through(Conv2D(8, kernel: 3, dilation: 2, groups: 4), MaxPool(6), Sigmoid())
          return concat(b, c).through(Conv2D(16, kernel: 3, stride: 2), SiLU(), GlobalAveragePool(), Flatten(), Linear(classes), Softmax())
        """, size: "3, 24, 36", name: "my-own"), "my own.swift")
    try await spdc("verify", path, "--batch", "2").succeeded()
    try await spdc("run", path, "--weights", "synthetic", "--input", "synthetic", "--output", scratch("y.npy"))
      .succeeded()
    let values = try readNPY(scratch("y.npy")).values
    #expect(values.count == 10 && abs(values.reduce(0, +) - 1) < 1e-5)
    try await spdc("compile", path, "-o", scratch("my out")).succeeded()
    #expect(exists(scratch("my out/libmy_own.so")))
  }

  @Test func theSecondRunNeedsNoSwiftCompiler() async throws {
    let path = try scratch.write(model("  image.through(Conv2D(4, kernel: 3))"), "once.swift")
    let options = ["compile", path, "--emit", "graph"]
    // A cache of its own: that of the tests may have the file from an earlier run.
    let with = ["SPDC_CACHE": scratch("own cache")]
    let without = with.merging(["PATH": scratch.path]) { $1 }
    (try await spdc(arguments: options, environment: without)).failed(.unavailable, "swiftc was not found", "swift.org")
    let first = try await spdc(arguments: options, environment: with).succeeded()
    #expect(try await spdc(arguments: options, environment: without).succeeded().output == first.output)
  }

  @Test func theCompilersMessageNamesTheUsersFile() async throws {
    (try await compile("import SPD\nlet x: Int = \"a\"\n")).failed(
      .data, "bad.swift does not compile:", "bad.swift:2:14: error: cannot convert value of type 'String'")
    (try await compile("import SPD\nlet x = Kernel()\n", name: "b d.swift")).failed(.data, "b d.swift:2:9: error:")
  }

  @Test func onlyWhatMattersOfTheCompilersMessages() async throws {
    let run = try await compile(
      "import SPD\nlet unused = 1\nlet a: Int = \"a\"\nfunc f() { let x = 1 }\nlet b: Int = \"b\"\n")
    #expect(
      run.errors == """
        spdc: error: bad.swift does not compile:
        bad.swift:3:14: error: cannot convert value of type 'String' to specified type 'Int'
        let a: Int = "a"
        bad.swift:5:14: error: cannot convert value of type 'String' to specified type 'Int'
        let b: Int = "b"

        """)
    let many = try await compile((0..<9).map { "let a\($0): Int = \"\"" }.joined(separator: "\n"))
    #expect(many.errors.contains("… and 4 more errors"))
  }

  /// swiftc 6.3 crashes on it.
  @Test func aCrashOfTheCompilerIsOneLine() async throws {
    let text = """
      import SPD
      func act(_ n: Int) -> any Layer { Conv2D(n, kernel: 3) }
      public let net = Model("net", input: .image(3, 16, 16), classes: 4) { image, classes in
        let a = act(8)(image)
        return a.through(GlobalAveragePool(), Flatten(), Linear(classes))
      }
      """
    let run = try await compile(text)
    if run.code == 0 { try Test.cancel("this swiftc compiles a call of `any Layer`") }
    run.failed(
      .data, "swiftc crashed while it compiled bad.swift:3:69", "let the helper return `some Layer`", ".through(")
    #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
    try await compile(
      text.replacing("any Layer", with: "some Layer").replacing("act(8)(image)", with: "image.through(act(8))")
    ).succeeded()
  }

  @Test func exactlyOneNetworkPerFile() async throws {
    (try await compile("import SPD\nprint(\"hello\")\n")).failed(.data, "bad.swift declares no network", "Model(")
    let one = model("  image.through(ReLU())")
    let two = one.replacingOccurrences(of: "import SPD", with: "").replacingOccurrences(of: "mine", with: "other")
    (try await compile(one + two)).failed(
      .data, "bad.swift declares several networks (mine, other)", "a model file declares one network")
    (try await compile("")).failed(.data, "bad.swift declares no network")
    (try await compile(model("  image.through(ReLU())", name: "my net"))).failed(.data, "the name “my net”")
    (try await compile(model("  image.through(ReLU())", name: "size"))).failed(
      .data, "a model called size would define C's own macro SIZE_WIDTH")
    let empty = model("  _ = image.through(ReLU())\n  return [Tensor]()")
    (try await compile(empty)).failed(.data, "bad.swift:3: the model mine returns an empty list")
    (try await compile(model("  concat([])"))).failed(.data, "concat of an empty list: give it at least one tensor")
  }

  /// The Swift compiler would take it for an option.
  @Test func aNameWithADashInFront() async throws {
    _ = try scratch.write(model("  image.through(ReLU())"), "-x.swift")
    try await spdc(arguments: ["compile", "./-x.swift", "--emit", "graph", "-o", "x.json"], in: scratch.path)
      .succeeded()
  }

  @Test func aCrashShowsTheLine() async throws {
    let run = try await compile("import SPD\nlet list = [1]\n" + model("  image.through(Conv2D(list[5], kernel: 3))"))
    run.failed(.data, "bad.swift failed while its graph was traced:", "Fatal error: Index out of range")
    #expect(!run.errors.contains("0x") && run.errors.utf8.count < 600)
  }

  @Test func shapeErrorsNameLineLayerShapesAndRemedy() async throws {
    (try await compile(model("  image.through(\n    Conv2D(4, kernel: 3),\n    SpaceToDepth())", size: "3, 45, 32")))
      .failed(
        .data,
        "bad.swift:5: SpaceToDepth(scale: 2) needs an even height and width, but its input is 4×45×32 (layer 1).",
        "Input sizes whose height works nearest to 45: 44, 46.")
    (try await compile(model("  image.through(ReLU(), Linear(classes))"))).failed(
      .data,
      "bad.swift:3: Linear reads a vector, but its input is 3×32×32: put Flatten() or a pool before it (layer 1)."
    )
    (try await compile(model("  let x = image.through(Conv2D(4, kernel: 3))\n  return x + image"))).failed(
      .data, "bad.swift:3: a sum needs two tensors of one shape, but they are 4×32×32 and 3×32×32")
    (try await compile(model("  concat(image, image.through(MaxPool(2)))"))).failed(
      .data, "bad.swift:3: concat needs one height and width, but its inputs are 3×32×32, 3×16×16")
    (try await compile(model("  image.through(Conv2D(4, kernel: 3, groups: 2))"))).failed(
      .data, "bad.swift:3: ", "groups")
    (try await compile(model("  image.through(MaxPool(64))"))).failed(.data, "bad.swift:3: ", "leaves nothing")
    #expect(!exists(scratch("out")))
  }

  @Test func sizesThatDoNotWorkNameTheNearestThatDo() async throws {
    (try await spdc("compile", Place.tiny, "--size", "45x32", "--emit", "graph")).failed(
      .data, "tiny-spd.swift:7: SpaceToDepth(scale: 2)", "whose height works nearest to 45: 44, 48.")
    (try await spdc("compile", "yolov5-spd-n", "--size", "360x630", "--emit", "graph")).failed(
      .data, "needs an even height and width", "(layer model.", "nearest to 360: 352, 384.", "nearest to 630: 608, 640."
    )
  }

  @Test func modelsThatAreNotThere() async throws {
    (try await spdc("compile", "yolov5-spd", "--emit", "c")).failed(
      .noInput, "there is no shipped model yolov5-spd", "Did you mean yolov5-spd-n?", "Shipped: ")
    (try await spdc("compile", "resnet18_spd")).failed(.noInput, "Did you mean resnet18-spd?")
    (try await spdc("compile", scratch("none.swift"))).failed(.noInput, "none.swift: no such file")
    (try await spdc("compile", scratch("none.json"))).failed(.noInput, "none.json: no such file")
    (try await spdc("compile", "yolov5-spd-n.swift")).failed(.noInput, "did you mean the shipped model yolov5-spd-n")
  }

  @Test func filesOfAnotherKind() async throws {
    let onnx = try scratch.write("", "net.onnx")
    (try await spdc("compile", onnx)).failed(.usage, "ONNX files can be exported", "--weights")
    (try await spdc("compile", "runs/best.pt")).failed(.usage, "runs/best.pt is a weight file", "with --weights")
    (try await spdc("compile", "net.tflite")).failed(.usage, ".tflite files are not supported")
    (try await spdc("compile", Place.shapes)).failed(.usage, "is a folder without a model")
    (try await spdc("compile", Place.shapes + "/000.jpg")).failed(.usage, "is a file without a model")
  }

  @Test func damagedGraphFiles() async throws {
    let graph = try await spdc("compile", Place.tiny, "--emit", "graph").succeeded().output
    func reading(_ text: String) async throws -> Outcome {
      try await spdc("compile", try scratch.write(text, "g.json"), "--emit", "c", "-o", scratch("o"), "--json")
    }
    func changed(_ from: String, _ to: String) -> String { graph.replacingOccurrences(of: from, with: to) }
    (try await reading(String(graph.prefix(500)))).failed(.data, "g.json is not a graph written by")
    (try await reading("{}")).failed(.data, "g.json is not a graph written by", "name")
    (try await reading(changed(#""scale":2"#, #""scale":3"#))).failed(.data, "needs a height and width divisible by 3")
    (try await reading(changed(#""channels":3"#, #""channels":-3"#))).failed(.data, "g.json", "shape")
    for number in ["9223372036854775807", "2147483648000", "2147483647"] {
      (try await reading(changed(#""height":32"#, #""height":\#(number)"#))).failed(.data, "g.json")
      (try await reading(changed(#""target":0"#, #""target":\#(number)"#))).failed(.data, "g.json")
    }
    (try await reading(changed("\"tiny-spd\"", "\"tiny spd; x\""))).failed(
      .data, "name: “tiny spd; x” is no model name")
    #expect(!exists(scratch("o")))
  }

  @Test func aGraphFileIsForOneSize() async throws {
    try await spdc("compile", Place.tiny, "--emit", "graph", "-o", scratch("g.json")).succeeded()
    (try await spdc("compile", scratch("g.json"), "--size", "64")).failed(
      .usage, "another size requires the model file")
    (try await spdc("compile", scratch("g.json"), "--classes", "3")).failed(
      .usage, "another number requires the model file")
    (try await spdc("explain", scratch("g.json"), "--batch", "3")).failed(
      .usage, "another batch requires the model file")
  }
}
