import Foundation
import SPDVision
import Testing

@testable import SPDReport
@testable import SPDTraining

struct ReportTests {
  private func report() throws -> TrainingReport {
    let configuration = try TrainingConfiguration.resolve(
      model: "resnet18-spd", overrides: [Setting(argument: "epochs=4"), Setting(argument: "data=<pets>")])
    var state = TrainingState(
      configuration: configuration, history: TrainingHistory(columns: ClassificationTask.columns))
    for epoch in 1...4 {
      state.history.append(
        epoch: epoch,
        ["lr": 0.1, "train/loss": 1 / Double(epoch), "val/top1": Double(epoch) / 10, "seconds": 50])
      state.epoch = epoch
      state.noteValidation(Double(epoch) / 10, epoch: epoch)
    }
    var report = TrainingReport(
      title: "pets & <others>", state: state, task: ClassificationTask.self)
    var matrix = ConfusionMatrix(classes: 2)
    for _ in 0..<3 { matrix.add(truth: 0, prediction: 1) }
    matrix.add(truth: 0, prediction: 0)
    let misclassified: [Misclassification] = [
      .init(
        image: Image(width: 8, height: 8, filledWith: RGB(255, 0, 0)), truth: 0, prediction: 1, confidence: 0.875,
        name: "val/<1>.png"),
      .init(image: Image(width: 600, height: 300, filledWith: RGB(0, 9, 0)), truth: 7, prediction: 0),
    ]
    report.sections = try ClassificationSections(
      confusion: matrix, misclassified: misclassified, classNames: ["cat", "d<o>g"]
    ).sections
    return report
  }

  @Test func everythingIsInside() throws {
    let html = try report().html()
    for part in [
      "<h1>pets &amp; &lt;others&gt;</h1>", "<dd>4 of 4</dd>", "40.00 % (epoch 4)", "3 min 20 s", "Learning rate",
      "d&lt;o&gt;g", "75.00 %", "88\u{a0}%", "val/&lt;1&gt;.png", "class 7", "<td>&lt;pets&gt;</td>",
      "<tr class=\"marked\"><td>epochs</td><td>4</td>",
    ] { #expect(html.contains(part), "\(part)") }
    #expect(html == (try report().html()))
  }

  /// Nothing is loaded from anywhere: no address at all but those of the images within.
  @Test func nothingIsOutside() throws {
    let html = try report().html()
    #expect(!html.contains("http:") && !html.contains("https:") && !html.contains("url(") && !html.contains("@import"))
    #expect(!html.contains("<script") && !html.contains("<link"))
    for match in html.matches(of: #/(?:src|href)="([^"]*)"/#) {
      #expect(match.1.hasPrefix("data:image/png;base64,"))
    }
  }

  /// The thumbnails are the images: small ones unchanged, large ones reduced.
  @Test func thumbnails() throws {
    let folder = try TemporaryFolder()
    let images = try report().html().matches(of: #/src="data:image\/png;base64,([^"]*)"/#).map { match in
      let path = folder.file("p.png")
      try Data(base64Encoded: String(match.1))!.write(to: URL(fileURLWithPath: path))
      return try Image(contentsOf: path)
    }
    #expect(images.count == 2)
    #expect(images[0] == Image(width: 8, height: 8, filledWith: RGB(255, 0, 0)))
    #expect(images[1] == Image(width: 128, height: 64, filledWith: RGB(0, 9, 0)))
  }

  /// A page's elements close as they open.
  @Test func wellFormed() throws {
    let html = try report().html()
    let body = try #require(html.firstMatch(of: #/<body>[\s\S]*<\/body>/#))
    #expect(XMLReading(String(body.0)) == nil)  // <img> and <br> have no end in HTML
    let closed = String(body.0).replacing(#/<img [^>]*>/#, with: "").replacing("<br>", with: "")
    #expect(XMLReading(closed) != nil)
    #expect(html.hasPrefix("<!doctype html>"))
  }

  @Test func writing() throws {
    let folder = try TemporaryFolder()
    try report().write(to: folder.file("report.html"))
    #expect(try text(folder.file("report.html")) == report().html())
    #expect(
      message { try report().write(to: "/nowhere/r.html") }
        == "/nowhere/r.html: cannot be written: No such file or directory")
    var empty = try report()
    empty.sections = []
    empty.state.history = TrainingHistory(columns: [])
    #expect(try empty.html().contains("no values"))
  }

  @Test func pngRefusesImpossibleImages() {
    var image = Image(width: 1, height: 1, filledWith: RGB(1, 2, 3))
    image.width = 5
    #expect(
      message { _ = try image.png() }
        == "image: a 5×1 image cannot have 3 bytes of RGB; give it width * height * 3 bytes")
  }
}
