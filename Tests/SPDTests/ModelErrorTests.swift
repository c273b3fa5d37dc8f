import Models
import SPD
import Testing

/// What a model file that cannot be built says: the line, the layer, the shapes and what would work.
struct ModelErrorTests {
  /// What is wrong with a network, without the line.
  private func message(
    _ channels: Int = 3, _ height: Int = 8, _ width: Int = 8, _ body: @escaping @Sendable (Tensor) -> Tensor
  ) -> String? {
    let text = error(Model("net", input: .image(channels, height, width)) { image, _ in body(image) })
    guard let text, let end = text.firstRange(of: ": ") else { return text }
    #expect(text.hasPrefix("ModelErrorTests.swift:"))
    // What follows on further lines is advice, which has tests of its own.
    return text[end.upperBound...].split(separator: "\n").first.map(String.init)
  }

  private func error(_ model: Model, size: Size2D? = nil, batch: Int = 1, classes: Int? = nil) -> String? {
    do {
      _ = try model.graph(size: size, batch: batch, classes: classes)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func theLineIsThatOfTheLayer() {
    let line = #line
    let model = Model("net", input: .image(3, 9, 8)) { image, _ in
      image.through(
        Conv(8, kernel: 3),
        Focus(8, kernel: 3))
    }
    #expect(
      error(model)?.split(separator: "\n").first.map(String.init)
        == "ModelErrorTests.swift:\(line + 4): SpaceToDepth(scale: 2) needs an even height and width, but its "
        + "input is 8×9×8 (layer 1.0).")
  }

  @Test func anOddHeightAtASpaceToDepth() {
    #expect(
      error(yolov5SPDM, size: Size2D(641, 640)) == """
        yolov5-spd-m.swift:12: SpaceToDepth(scale: 2) needs an even height and width, but its input is 3×641×640 (layer model.0.0).
          Input sizes whose height works nearest to 641: 640, 672.
        """)
    #expect(
      error(resnet18SPD, size: Size2D(60, 90)) == """
        resnet18-spd.swift:10: SpaceToDepth(scale: 2) needs an even height and width, but its input is 128×30×45 (layer conv3_x.0.residual_function.1).
          Input sizes whose height works nearest to 60: 48, 64.
          Input sizes whose width works nearest to 90: 80, 96.
        """)
  }

  @Test func aScaleThatDoesNotDivide() {
    #expect(
      message(3, 9, 10) { $0.through(SpaceToDepth(scale: 3)) }
        == "SpaceToDepth(scale: 3) needs a height and width divisible by 3, but its "
        + "input is 3×9×10 (layer 0).")
    #expect(
      message { $0.through(SpaceToDepth(scale: 1)) }
        == "SpaceToDepth needs a scale of 2 or more, not 1 (layer 0).")
  }

  @Test func concat() {
    #expect(
      message { SPD.concat($0, MaxPool(2)($0)) }
        == "concat needs one height and width, but its inputs are 3×8×8, 3×4×4 "
        + "(layer 1).")
  }

  @Test func residual() {
    // An operator knows no line; it is near the layer that it reads.
    let line = #line
    let sum = Model("net", input: .image(3, 8, 8)) { image, _ in Conv(8, kernel: 3)(image) + image }
    #expect(
      error(sum)
        == "ModelErrorTests.swift:\(line + 1): a sum needs two tensors of one shape, but they are 8×8×8 and 3×8×8.")
    #expect(
      message { $0.through(Sequential(Pair())) }
        == "a sum needs two tensors of one shape, but they are 3×8×8 and 3×4×4 "
        + "(layer 0.0).")
  }

  /// Adds tensors of two sizes.
  private struct Pair: Layer {
    var site: Site
    init(file: String = #fileID, line: Int = #line) { site = Site(file, line) }
    func forward(_ x: Tensor) -> Tensor { x + MaxPool(2)(x) }
  }

  @Test func groups() {
    #expect(
      message(16) { $0.through(Conv2D(9, kernel: 1, groups: 3)) }
        == "3 groups do not divide 16 input and 9 output channels (input 16×8×8) "
        + "(layer 0).")
    #expect(
      message { $0.through(Conv2D(8, kernel: 1, groups: 4)) }
        == "4 groups do not divide 3 input and 8 output channels (input 3×8×8) "
        + "(layer 0).")
  }

  @Test func kernels() {
    #expect(
      message { $0.through(Conv2D(8, kernel: 1, stride: 0)) }
        == "a convolution needs outputs, kernel, stride, dilation and groups of 1 or "
        + "more and a padding of 0 or more; it has 8 outputs, kernel 1, stride 0, dilation 1, groups 1, padding 0 "
        + "(layer 0).")
    #expect(
      message { $0.through(Conv2D(8, kernel: 9, padding: 0)) }
        == "a convolution with kernel 9, padding 0 and dilation 1 leaves nothing of "
        + "its input, which is 3×8×8 (layer 0).")
    #expect(
      message { $0.through(Conv2D(0, kernel: 1)) }
        == "0.weight would have the shape [0, 3, 1, 1] (layer 0).")
    #expect(
      message { $0.through(MaxPool(9)) }
        == "a pool with kernel 9 leaves nothing of its input, which is 3×8×8 "
        + "(layer 0).")
    #expect(
      message { $0.through(MaxPool(2, padding: 2)) }
        == "a pool needs a kernel and stride of 1 or more and a padding of at most "
        + "half the kernel; it has kernel 2, stride 2, padding 2 (layer 0).")
  }

  @Test func twoLayersOfOneName() {
    #expect(
      message { $0.through(Conv2D(4, kernel: 1).named("head"), Conv2D(4, kernel: 1).named("head")) }
        == "two layers are called head: give one of them another name with .named(_:) "
        + "(layer head).")
  }

  @Test func aLinearLayerOnAMap() {
    #expect(
      message { $0.through(Linear(10)) }
        == "Linear reads a vector, but its input is 3×8×8: put Flatten() or a pool before "
        + "it (layer 0).")
  }

  @Test func slicesAndUpsampling() {
    #expect(
      message { $0.channels(2..<5) }
        == "a slice of channels 2..<5 is outside of its input, which is 3×8×8 "
        + "(layer slice).")
    #expect(
      message { $0.upsampled(0) }
        == "an upsampling factor must be 1 or more, not 0 (layer 0).")
  }

  @Test func levelsWithoutAnchors() {
    #expect(
      message { Detect(classes: 80, anchors: .yolov5)($0, $0) }
        == "Detect has anchors for 3 levels, but 2 levels (layer 0).")
  }

  @Test func nothingToComputeOn() {
    let prefix = "yolov5-spd-n:0: size, batch and classes must be positive, but they are "
    #expect(error(yolov5SPDN, batch: 0) == prefix + "640×640, 0 and 80.")
    #expect(
      error(yolov5SPDN, size: Size2D(0, 64))
        == prefix + "0×64, 1 and 80.\n  Input sizes whose height works nearest to 0: 32.")
    #expect(error(yolov5SPDN, classes: -1) == prefix + "640×640, 1 and -1.")
  }

  @Test func aTensorOfAnotherModel() throws {
    nonisolated(unsafe) var stranger: Tensor?
    _ = try Model("other", input: .image(3, 4, 4)) { image, _ in
      stranger = image
      return image
    }.graph()
    #expect(
      message { SPD.concat($0, stranger!) }
        == "3×4×4 comes from another model (layer 0).")
  }

  @Test func onlyTheFirstErrorCounts() {
    #expect(
      message { $0.through(MaxPool(9), Linear(3), SpaceToDepth(scale: 5)) }?.contains("MaxPool") == false)
    #expect(
      message { $0.through(MaxPool(9), Linear(3), SpaceToDepth(scale: 5)) }?.contains("a pool with kernel 9") == true)
  }

  /// A size that only one axis breaks, a model that is broken at its declared size, and one that no size helps.
  @Test func adviceNamesTheAxisThatIsWrong() {
    let model = Model("net", input: .image(3, 16, 16)) { image, _ in image.through(SpaceToDepth(scale: 8)) }
    #expect(
      error(model, size: Size2D(16, 20))?.hasSuffix("\n  Input sizes whose width works nearest to 20: 16, 24.") == true)
    #expect(error(model, size: Size2D(3, 16))?.hasSuffix("\n  Input sizes whose height works nearest to 3: 8.") == true)
    let broken = Model("net", input: .image(3, 15, 15)) { image, _ in image.through(SpaceToDepth()) }
    #expect(
      error(broken)?.hasSuffix(
        "\n  Input sizes whose height works nearest to 15: 14, 16.\n  Input sizes whose width works nearest to 15: 14, 16."
      )
        == true)
    let hopeless = Model("net", input: .image(3, 16, 16)) { image, _ in image.through(Linear(4)) }
    #expect(error(hopeless, size: Size2D(17, 17))?.contains("\n") == false)
  }
}
