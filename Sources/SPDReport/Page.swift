/// A self-contained HTML page without scripts or external resources.
package struct Page: Markup {
  package let title: String
  package var body = ""

  package init(title: String) { self.title = title }

  package mutating func section(_ section: ReportSection) { body += section.body }

  package var html: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(escaped(title))</title>
    <style>
    \(Self.css)\(ChartStyle.css)</style>
    </head>
    <body>
    <h1>\(escaped(title))</h1>
    \(body)</body>
    </html>

    """
  }

  private static let css = """
    :root{--page:#fff;--text:#1a1a1a;--soft:#5a5f66;--line:#dfe2e6;--box:#f5f6f8;--good:#00734f;--bad:#b34700}
    @media (prefers-color-scheme:dark){
    :root{--page:#14171b;--text:#eceff3;--soft:#a8adb4;--line:#33383f;--box:#1d2126;--good:#2fc79b;--bad:#f28a3c}
    }
    body{margin:0 auto;max-width:1320px;padding:24px;background:var(--page);color:var(--text);
    font:15px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
    h1{font-size:24px;margin:0 0 12px}
    h2{font-size:18px;margin:36px 0 12px;padding-bottom:4px;border-bottom:1px solid var(--line)}
    p{margin:8px 0;color:var(--soft)}
    svg{max-width:100%;height:auto}
    .charts{display:flex;flex-wrap:wrap;gap:16px}
    .facts{display:flex;flex-wrap:wrap;gap:12px;margin:0}
    .facts div{background:var(--box);border-radius:8px;padding:8px 14px}
    .facts dt{font-size:12px;color:var(--soft)}
    .facts dd{margin:0;font-size:18px;font-variant-numeric:tabular-nums}
    .wide{overflow-x:auto}
    table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
    th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
    th{color:var(--soft);font-weight:600}
    tr.marked td{font-weight:600}
    .sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(112px,1fr));gap:14px}
    .sheet figure{margin:0}
    .sheet img{width:100%;aspect-ratio:1;object-fit:contain;background:var(--box);border-radius:6px;
    image-rendering:pixelated}
    .sheet figcaption{font-size:12px;line-height:1.35;overflow-wrap:anywhere}
    .true{color:var(--good)}.wrong{color:var(--bad)}.soft{color:var(--soft)}

    """
}
