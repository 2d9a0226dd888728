using Sagas.FileIntake.Records;

namespace Sagas.UnitTests.FileIntake;

public sealed class HeaderMapTests
{
    private static readonly FileColumn[] _columns =
    [
        new("customer_id", true, "id"),
        new("first_name", false, "given name", "Vorname"),
        new("email", false, "e-mail"),
    ];

    [Theory]
    [InlineData("id", "FirstName", "E-Mail")]
    [InlineData("Customer ID", "Given_Name", "EMAIL")]
    [InlineData("CUSTOMER-ID", "VORNAME", "e mail")]
    public void Case_blanks_and_punctuation_do_not_count(params string[] names)
    {
        var map = HeaderMap.Read([.. names, "Shoe size"], _columns, out var problem);

        Assert.Null(problem);
        Assert.Equal([0, 1, 2], _columns.Select(column => map!.FieldOf(column.Name)));
    }

    [Fact]
    public void A_column_that_the_file_does_not_have_has_no_field()
    {
        var map = HeaderMap.Read(["id"], _columns, out _);

        Assert.Equal(-1, map!.FieldOf("email"));
    }

    [Fact]
    public void A_header_without_a_required_column_is_invalid_with_a_reason()
    {
        Assert.Null(HeaderMap.Read(["4711", "Ada"], _columns, out var problem));

        Assert.Equal(
            "The first line is not a valid header: it has no column named customer_id or id. It reads: 4711 | Ada",
            problem
        );
    }

    [Fact]
    public void A_header_with_two_of_one_column_is_invalid_with_a_reason()
    {
        Assert.Null(HeaderMap.Read(["id", "email", "E-Mail"], _columns, out var problem));

        Assert.Equal("Two columns of the header mean email: 'email' and 'E-Mail'.", problem);
    }
}
