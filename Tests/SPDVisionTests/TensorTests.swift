import Testing

@testable import SPDVision

@Suite struct TensorTests {
  @Test func planesFollowImagesAndChannels() {
    let images = [
      Image(width: 2, height: 1, pixels: [0, 51, 102, 153, 204, 255]),
      Image(width: 2, height: 1, pixels: [255, 0, 0, 0, 255, 0]),
    ]
    let expected: [Float] = [0, 153, 51, 204, 102, 255, 255, 0, 0, 255, 0, 0].map { $0 / 255 }
    #expect(planar(images) == expected)
    #expect(planar([]).isEmpty)
  }

  @Test func normalisesBytesAndFractions() {
    let image = Image(width: 1, height: 1, pixels: [10, 128, 250])
    let bytes = normalised(
      [image], .init(mean: [122.4786, 114.2755, 101.3963], std: [70.4924, 68.5679, 71.8127], scale: 1))
    let (mean, std): ([Float], [Float]) = ([122.4786, 114.2755, 101.3963], [70.4924, 68.5679, 71.8127])
    for (channel, byte) in [Float(10), 128, 250].enumerated() {
      #expect(bytes[channel] == (byte - mean[channel]) / std[channel])
    }
    let fractions = normalised(
      [image], .init(mean: [0.5, 0.4865488733, 0.5], std: [0.25, 0.2564384629, 0.25], scale: 1 / 255))
    let expected: Float = (Float(128) / 255 - 0.4865488733) / 0.2564384629
    #expect(fractions[1] == expected)
  }

  @Test func aScaleOfOneOver255IsTheQuotient() {
    let image = Image(width: 256, height: 1, pixels: (0...255).flatMap { [UInt8($0), 0, 0] })
    let values = normalised([image], mean: .zero, std: .one, scale: 1 / 255)
    let expected = (0...255).map { (byte: Int) -> Float in Float(byte) / 255 }
    #expect(Array(values[0..<256]) == expected)
  }

  @Test func softmaxRanksAndSumsToOne() {
    let top = softmaxTop([1, 3, 2, 3], k: 3)
    #expect(top.map(\.index) == [1, 3, 2])
    #expect(abs(top[0].probability - 0.399_486) < 1e-5)
    let all = softmaxTop([1, 3, 2, 3], k: 9)
    #expect(all.count == 4 && abs(all.reduce(0) { $0 + $1.probability } - 1) < 1e-6)
  }

  @Test func softmaxSurvivesExtremes() {
    #expect(softmaxTop([1000, -1000], k: 2).map(\.probability) == [1, 0])
    #expect(softmaxTop([.nan, 0], k: 1).map(\.index) == [1])
    #expect(softmaxTop([.infinity, 0, .infinity], k: 3).map(\.probability) == [0.5, 0.5, 0])
    #expect(softmaxTop([.nan, .nan], k: 2).map(\.probability) == [0.5, 0.5])
    #expect(softmaxTop([], k: 5).isEmpty && softmaxTop([1], k: 0).isEmpty)
  }

  @Test func cocoHasEightyNames() {
    #expect(cocoNames.count == 80 && Set(cocoNames).count == 80)
    #expect(cocoNames[0] == "person" && cocoNames[16] == "dog" && cocoNames[79] == "toothbrush")
  }
}
