package io.millrace.transform.file;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import javax.annotation.Nullable;
import org.dhatim.fastexcel.reader.ReadableWorkbook;
import org.dhatim.fastexcel.reader.Sheet;

/**
 * Where in a workbook the rows are.
 *
 * @param sheetName null to take the sheet by its number
 * @param sheetIndex from 0
 * @param headerRow the row of the columns' names, as Excel numbers it, from 1
 * @param nulls texts of cells that mean null
 */
public record ExcelSource(
    @Nullable String sheetName, int sheetIndex, int headerRow, NullTokens nulls)
    implements Serializable {

  Sheet find(ReadableWorkbook workbook, String file) throws MalformedFileException {
    Optional<Sheet> found =
        sheetName == null ? workbook.getSheet(sheetIndex) : workbook.findSheet(sheetName);
    if (found.isPresent()) {
      return found.get();
    }
    List<String> names = workbook.getSheets().map(sheet -> "'" + sheet.getName() + "'").toList();
    throw new MalformedFileException(
        file
            + " has no sheet "
            + (sheetName == null ? "number " + sheetIndex : "'" + sheetName + "'")
            + "; its sheets are "
            + String.join(", ", names));
  }
}
