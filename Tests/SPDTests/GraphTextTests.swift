import SPD
import TestSupport
import Testing

struct GraphTextTests {
  @Test func shapesStandInOneColumn() throws {
    let graph = try traced(3, 8, 6) { $0.through(Conv2D(16, kernel: 3, stride: 2, bias: false), SiLU()) }
    #expect(
      graph.text == """
        %0 = input()                                                    3×8×6
        %1 = conv2d(%0) k=3 s=2 p=1 3→16                                16×4×3
        %2 = silu(%1)                                                   16×4×3
        return %2

        """)
  }

  @Test func everyOperation() throws {
    let graph = try traced(3, 12, 12) { image in
      let x = Conv2D(16, kernel: Size2D(1, 3), stride: Size2D(2, 1), padding: Size2D(0, 2), dilation: 2)(image)
      let y = x.through(BatchNorm(), LeakyReLU(), Hardswish(), MaxPool(2), AveragePool(3, stride: 1, padding: 1))
      let z = concat(y, y).channels(4..<20).upsampled(2)
      let deep = z.through(SpaceToDepth(order: .onnx), Conv2D(16, kernel: 1, groups: 4))
      return [
        deep.through(GlobalAveragePool(), Flatten(), Linear(5), Softmax()), Sigmoid()(deep) + deep,
        Detect(classes: 1, anchors: .init([[(1, 1)]]))(deep),
      ]
    }
    #expect(
      graph.brief == """
        %0 = input()  3×12×12
        %1 = conv2d(%0) k=1×3 s=2×1 p=0×2 d=2 3→16  16×6×12
        %2 = batch_norm(%1)  16×6×12
        %3 = leaky_relu(%2)  16×6×12
        %4 = hardswish(%3)  16×6×12
        %5 = max_pool(%4) k=2 s=2  16×3×6
        %6 = average_pool(%5) k=3 p=1  16×3×6
        %7 = concat(%6, %6)  32×3×6
        %8 = slice(%7) 4..<20  16×3×6
        %9 = upsample(%8) x2  16×6×12
        %10 = space_to_depth(%9) scale=2 order=onnx  64×3×6
        %11 = conv2d(%10) k=1 g=4 64→16  16×3×6
        %12 = global_average_pool(%11)  16×1×1
        %13 = flatten(%12)  16×1×1
        %14 = linear(%13) 16→5  5×1×1
        %15 = softmax(%14)  5×1×1
        %16 = sigmoid(%11)  16×3×6
        %17 = add(%16, %11)  16×3×6
        %18 = conv2d(%11) k=1 16→6  6×3×6
        %19 = sigmoid(%18)  6×3×6
        %20 = decode_boxes(%19) classes=1 strides=4  1×18×6
        return %15, %17, %20

        """)
  }

  @Test func aSegmentWithEveryField() throws {
    var maker = GraphMaker(8, 6, 6)
    var first = Segment(node: 0, channels: 2)
    first.first = 3
    first.step = 3
    first.columnPhase = 2
    first.upsampling = 4
    first.target = 1
    first.targetStride = 2
    var second = first
    second.target = 0
    second.rowPhase = 1
    _ = try maker.add(.copy, Operand(segments: [first, second]))
    #expect(maker.graph.brief.contains("%1 = copy(%0{3..<5}[::3,2::3]^4→1::2 ++ %0{3..<5}[1::3,2::3]^4→0::2)  4×8×8\n"))
  }
}
